import { deployment, model, record } from '../../test/support/routing-builders.ts';
import { type ErrorCode, GatewayError } from '../contract/errors.js';
import type { Deployment, Model } from '../contract/plan.js';
import type { AttemptContext, Provider } from '../contract/provider.js';
import type { ProviderRegistry } from '../providers/provider.registry.js';
import { type AttemptRequest, AttemptRunner } from './attempt-runner.js';
import { HealthBook } from './health.book.js';
import type { RoutingRuntime } from './runtime.js';

/** A clock that moves only when told or waited for. */
class FakeRuntime implements RoutingRuntime {
  nowMs = 5_000;
  readonly waits: number[] = [];
  readonly now = () => this.nowMs;
  readonly random = () => 0.5;
  readonly wait = (milliseconds: number, signal: AbortSignal) => {
    this.waits.push(milliseconds);
    this.nowMs += milliseconds;
    return signal.aborted ? Promise.reject(new Error('aborted')) : Promise.resolve();
  };
}

/** Counts leases by provider name. */
class FakeRegistry {
  readonly leases = new Map<string, number>();

  acquire(provider: Provider) {
    this.change(provider, 1);
    return { provider, release: () => this.change(provider, -1) };
  }

  private change({ name }: Provider, by: number): void {
    this.leases.set(name, (this.leases.get(name) ?? 0) + by);
  }
}

const a = deployment('a');
const b = deployment('b');
const c = deployment('c');

function setUp(attempts: readonly Deployment[], overrides: Partial<Model> = {}) {
  const runtime = new FakeRuntime();
  const registry = new FakeRegistry();
  const health = new HealthBook(runtime);
  const runner = new AttemptRunner(registry as unknown as ProviderRegistry, health, runtime);
  const abort = new AbortController();
  const request: AttemptRequest = {
    plan: { model: model(attempts, overrides), attempts },
    requestId: 'request-1',
    signal: abort.signal,
    record: record(),
    deadlineMs: 600_000,
  };
  return { runtime, registry, health, runner, abort, request };
}

/** An attempt that takes 10 ms and fails with the codes in turn, then answers with the provider's name. */
function failing(runtime: FakeRuntime, ...codes: (ErrorCode | GatewayError)[]) {
  const contexts: AttemptContext[] = [];
  const attempt = (each: Deployment, context: AttemptContext): Promise<string> => {
    contexts.push(context);
    runtime.nowMs += 10;
    const next = codes.shift();
    if (next === undefined) return Promise.resolve(each.provider.name);
    return Promise.reject(typeof next === 'string' ? new GatewayError(next) : next);
  };
  return { attempt, contexts };
}

describe('AttemptRunner', () => {
  it('answers with the first deployment and notes it', async () => {
    const { runner, request, runtime } = setUp([a, b]);
    const { value, deployment: answered } = await runner.run(request, failing(runtime).attempt);
    expect(value).toBe('a');
    expect(answered).toBe(a);
    expect(request.record).toMatchObject({ deployment: a.id, provider: 'a', upstreamMs: 10 });
    expect(request.record.attempts).toEqual([
      { deployment: a.id, provider: 'a', kind: 'fake', path: 'translated', durationMs: 10 },
    ]);
  });

  it('tries the next deployment at once after a retryable failure', async () => {
    const { runner, request, runtime } = setUp([a, b]);
    const { value } = await runner.run(request, failing(runtime, 'provider_error').attempt);
    expect(value).toBe('b');
    expect(runtime.waits).toEqual([]);
    expect(request.record.attempts.map(({ provider, error }) => [provider, error])).toEqual([
      ['a', 'provider_error'],
      ['b', undefined],
    ]);
  });

  it('notes native where the deployment speaks the dialect of the record', async () => {
    const dialects = new Set(['openai-chat'] as const);
    const native = deployment('n', {
      provider: { ...a.provider, native: { dialects, send: () => Promise.reject(new Error()) } },
    });
    const { runner, request, runtime } = setUp([native]);
    await runner.run(request, failing(runtime).attempt);
    expect(request.record.attempts[0]?.path).toBe('native');
  });

  it('lets the caller of run decide the path that is noted', async () => {
    const { runner, request, runtime } = setUp([a]);
    await runner.run({ ...request, path: () => 'native' }, failing(runtime).attempt);
    expect(request.record.attempts[0]?.path).toBe('native');
  });

  it('throws at once what no other deployment could mend', async () => {
    const { runner, request, runtime } = setUp([a, b]);
    const { attempt, contexts } = failing(runtime, 'provider_rejected');
    await expect(runner.run(request, attempt)).rejects.toMatchObject({ code: 'provider_rejected' });
    expect(contexts).toHaveLength(1);
  });

  it('makes a defect of ours an internal error and does not try further', async () => {
    const { runner, request } = setUp([a, b]);
    const attempt = jest.fn(() => Promise.reject(new TypeError('x is undefined')));
    await expect(runner.run(request, attempt)).rejects.toMatchObject({ code: 'internal_error' });
    expect(attempt).toHaveBeenCalledTimes(1);
  });

  it('tries no more than the model allows', async () => {
    const { runner, request, runtime } = setUp([a, b, c], { maxAttempts: 2 });
    const { attempt, contexts } = failing(runtime, 'provider_error', 'provider_error', 'provider_error');
    await expect(runner.run(request, attempt)).rejects.toMatchObject({ code: 'provider_error' });
    expect(contexts).toHaveLength(2);
  });

  it('throws the most telling failure when all attempts failed', async () => {
    const { runner, request, runtime } = setUp([a, b]);
    const limited = new GatewayError('provider_rate_limited', { retryAfterMs: 2_000 });
    await expect(runner.run(request, failing(runtime, limited, 'provider_unreachable').attempt)).rejects.toBe(limited);
  });

  it('throws no_deployment for an empty plan', async () => {
    const { runner, request, runtime } = setUp([]);
    await expect(runner.run(request, failing(runtime).attempt)).rejects.toMatchObject({ code: 'no_deployment' });
  });

  describe('with a single deployment', () => {
    it.each(['provider_unreachable', 'provider_error', 'provider_overloaded'] as const)(
      'tries once more after %s, with jitter',
      async (code) => {
        const { runner, request, runtime } = setUp([a]);
        const { value } = await runner.run(request, failing(runtime, code).attempt);
        expect(value).toBe('a');
        expect(runtime.waits).toEqual([50]);
      },
    );

    it('tries not more than once more', async () => {
      const { runner, request, runtime } = setUp([a], { maxAttempts: 9 });
      const { attempt, contexts } = failing(runtime, ...Array<ErrorCode>(9).fill('provider_error'));
      await expect(runner.run(request, attempt)).rejects.toMatchObject({ code: 'provider_error' });
      expect(contexts).toHaveLength(2);
    });

    it.each([
      ['a rate limit', {}, 'provider_rate_limited'],
      ['a timeout', {}, 'provider_timeout'],
      ['any failure when one attempt is allowed', { maxAttempts: 1 }, 'provider_error'],
      ['a failure that leaves no time to wait', { timeouts: { ...model([]).timeouts, totalMs: 60 } }, 'provider_error'],
    ] as const)('does not try again after %s', async (_name, overrides, code) => {
      const { runner, request, runtime } = setUp([a], overrides);
      const { attempt, contexts } = failing(runtime, code);
      await expect(runner.run(request, attempt)).rejects.toMatchObject({ code });
      expect(contexts).toHaveLength(1);
      expect(runtime.waits).toEqual([]);
    });

    it('stops waiting when the client is gone', async () => {
      const { runner, request, runtime, abort } = setUp([a]);
      const wait = runtime.wait;
      Object.assign(runtime, {
        wait: (milliseconds: number, signal: AbortSignal) => {
          abort.abort();
          return wait(milliseconds, signal);
        },
      });
      const { attempt, contexts } = failing(runtime, 'provider_error');
      await expect(runner.run(request, attempt)).rejects.toMatchObject({ code: 'client_closed' });
      expect(contexts).toHaveLength(1);
    });
  });

  describe('deadline', () => {
    it('tells each attempt what is left', async () => {
      const { runner, request, runtime } = setUp([a, b]);
      const { attempt, contexts } = failing(runtime, 'provider_error');
      await runner.run({ ...request, deadlineMs: 1_000 }, attempt);
      expect(contexts.map(({ timeouts }) => timeouts.totalMs)).toEqual([1_000, 990]);
      expect(contexts[0]?.timeouts).toMatchObject({ connectMs: 2_000, firstContentMs: 60_000, idleMs: 60_000 });
    });

    it("is bounded by the model's total", async () => {
      const { runner, request, runtime } = setUp([a], { timeouts: { ...model([]).timeouts, totalMs: 300 } });
      const { attempt, contexts } = failing(runtime);
      await runner.run(request, attempt);
      expect(contexts[0]?.timeouts.totalMs).toBe(300);
    });

    it('makes no attempt when nothing is left', async () => {
      const { runner, request, runtime } = setUp([a]);
      const { attempt, contexts } = failing(runtime);
      await expect(runner.run({ ...request, deadlineMs: 0 }, attempt)).rejects.toMatchObject({
        code: 'deadline_exceeded',
      });
      expect(contexts).toHaveLength(0);
    });

    it('is a timeout of the provider when the first attempt took it all', async () => {
      const { runner, request, runtime, health } = setUp([a, b]);
      const failed = jest.spyOn(health, 'failed');
      const { attempt, contexts } = failing(runtime, 'provider_timeout');
      await expect(runner.run({ ...request, deadlineMs: 10 }, attempt)).rejects.toMatchObject({
        code: 'provider_timeout',
      });
      expect(contexts).toHaveLength(1);
      expect(failed).toHaveBeenCalledWith(a, expect.objectContaining({ code: 'provider_timeout' }));
    });

    it('is deadline_exceeded when it cut a further attempt short, which is no evidence against its deployment', async () => {
      const { runner, request, runtime, health } = setUp([a, b, c]);
      const { attempt } = failing(runtime, 'provider_error', 'provider_timeout');
      await expect(runner.run({ ...request, deadlineMs: 20 }, attempt)).rejects.toMatchObject({
        code: 'deadline_exceeded',
      });
      for (let more = 0; more < 2; more++) health.failed(b, new GatewayError('provider_error'));
      expect(health.isCool(b)).toBe(false);
    });
  });

  describe('a client that is gone', () => {
    it('makes no attempt at all', async () => {
      const { runner, request, runtime, abort } = setUp([a]);
      abort.abort();
      const { attempt, contexts } = failing(runtime);
      await expect(runner.run(request, attempt)).rejects.toMatchObject({ code: 'client_closed' });
      expect(contexts).toHaveLength(0);
    });

    it('stops the run, whatever the attempt failed with', async () => {
      const { runner, request, abort } = setUp([a, b]);
      const attempt = jest.fn(() => {
        abort.abort();
        return Promise.reject(new GatewayError('provider_unreachable'));
      });
      await expect(runner.run(request, attempt)).rejects.toMatchObject({ code: 'client_closed' });
      expect(attempt).toHaveBeenCalledTimes(1);
      expect(request.record.attempts[0]?.error).toBe('client_closed');
    });

    it('is told apart from a gateway that gives up, by the reason of the signal', async () => {
      const { runner, request, runtime, abort } = setUp([a]);
      const reason = new GatewayError('server_shutting_down');
      abort.abort(reason);
      await expect(runner.run(request, failing(runtime).attempt)).rejects.toBe(reason);
    });
  });

  it('tells that bytes may have left', async () => {
    const { runner, request } = setUp([a]);
    const onDispatch = jest.fn();
    await runner.run({ ...request, onDispatch }, (_deployment, context) => Promise.resolve(context.onDispatch()));
    expect(onDispatch).toHaveBeenCalledTimes(1);
  });

  describe('providers', () => {
    it('are all held while the attempts run, then only the one that answered', async () => {
      const { runner, request, runtime, registry } = setUp([a, b, c]);
      const during: unknown[] = [];
      const { attempt } = failing(runtime, 'provider_error');
      const answered = await runner.run(request, (each, context) => {
        during.push(Object.fromEntries(registry.leases));
        return attempt(each, context);
      });
      expect(during).toEqual([
        { a: 1, b: 1, c: 1 },
        { a: 1, b: 1, c: 1 },
      ]);
      expect(Object.fromEntries(registry.leases)).toEqual({ a: 0, b: 1, c: 0 });
      answered.release();
      answered.release();
      expect(Object.fromEntries(registry.leases)).toEqual({ a: 0, b: 0, c: 0 });
    });

    it('are held once where a plan names one twice', async () => {
      const twin = deployment('a', { provider: a.provider, upstreamModel: 'other' });
      const { runner, request, runtime, registry } = setUp([a, twin]);
      const { release } = await runner.run(request, failing(runtime, 'provider_error').attempt);
      expect(registry.leases.get('a')).toBe(1);
      release();
      expect(registry.leases.get('a')).toBe(0);
    });

    it('are let go when all attempts failed', async () => {
      const { runner, request, runtime, registry } = setUp([a, b]);
      const { attempt } = failing(runtime, 'provider_error', 'provider_error');
      await expect(runner.run(request, attempt)).rejects.toThrow();
      expect([...registry.leases.values()]).toEqual([0, 0]);
    });
  });

  describe('health', () => {
    it('cools a deployment that limits requests, for as long as it said', async () => {
      const { runner, request, runtime, health } = setUp([a, b]);
      const limited = new GatewayError('provider_rate_limited', { retryAfterMs: 2_000 });
      await runner.run(request, failing(runtime, limited).attempt);
      expect(health.isCool(a)).toBe(true);
      expect(health.isCool(b)).toBe(false);
      runtime.nowMs += 2_000;
      expect(health.isCool(a)).toBe(false);
    });

    it('is cleared by an answer that ended well', async () => {
      const { runner, request, runtime, health } = setUp([a]);
      health.failed(a, new GatewayError('provider_rate_limited', { retryAfterMs: 60_000 }));
      const { release } = await runner.run(request, failing(runtime).attempt);
      expect(health.isCool(a)).toBe(true);
      release();
      expect(health.isCool(a)).toBe(false);
    });

    it('counts answers that broke after commit', async () => {
      const { runner, request, runtime, health } = setUp([a]);
      const coolAfter: boolean[] = [];
      for (let times = 0; times < 3; times++) {
        const { release } = await runner.run(request, failing(runtime).attempt);
        release(new GatewayError('provider_stream_broken'));
        coolAfter.push(health.isCool(a));
      }
      expect(coolAfter).toEqual([false, false, true]);
    });
  });
});
