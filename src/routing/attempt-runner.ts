import { Inject, Injectable } from '@nestjs/common';
import { GatewayError, toGatewayError } from '../contract/errors.js';
import type { Deployment, Plan } from '../contract/plan.js';
import type { AttemptContext, Provider } from '../contract/provider.js';
import type { AttemptRecord, RequestRecord } from '../contract/record.js';
import { type ProviderLease, ProviderRegistry } from '../providers/provider.registry.js';
import { type AttemptPath, attemptPath } from './attempt-path.js';
import { HealthBook } from './health.book.js';
import { isInexpressible, moreTelling, repeatDelayMs } from './retry-policy.js';
import { ROUTING_RUNTIME, type RoutingRuntime } from './runtime.js';

/** One planned request. */
export interface AttemptRequest {
  readonly plan: Plan;
  readonly requestId: string;
  /** Aborted when the client is gone; a GatewayError as its reason is what `run` then throws. */
  readonly signal: AbortSignal;
  /** Receives the attempts, `deployment`, `provider`, and their time in `upstreamMs`. */
  readonly record: RequestRecord;
  /** How long the request may still take, in milliseconds from now; the model's `totalMs` bounds it too. */
  readonly deadlineMs: number;
  /** Called at every attempt when its bytes may leave; absent = nobody wants to know. */
  readonly onDispatch?: () => void;
  /** The path to note of an attempt; absent = native where the deployment speaks the record's dialect. */
  readonly path?: (deployment: Deployment) => AttemptPath;
}

/** An attempt that was answered. The caller must call `release` when the answer is over, however it ended. */
export interface Attempted<T> {
  readonly value: T;
  readonly deployment: Deployment;
  /** Lets go of the provider; harmless when repeated. Give the failure of an answer that broke after commit. */
  release(failure?: GatewayError): void;
}

/** One upstream attempt; resolves at commit (streams) or with the whole answer, rejects with a GatewayError. */
export type Attempt<T> = (deployment: Deployment, context: AttemptContext) => Promise<T>;

interface Run<T> {
  readonly request: AttemptRequest;
  readonly attempt: Attempt<T>;
  /** On the runtime's clock. */
  readonly deadlineAtMs: number;
}

interface Answer<T> {
  readonly value: T;
  readonly deployment: Deployment;
  /** On the runtime's clock. */
  readonly startedAtMs: number;
}

type Outcome<T> = Answer<T> | { readonly error: GatewayError; readonly mayBeElsewhere: boolean };

/**
 * Tries the deployments of a plan in order until one answers, within one deadline. It never retries after commit,
 * and sets no timer of its own: each attempt is told what is left of the deadline.
 */
@Injectable()
export class AttemptRunner {
  constructor(
    private readonly providers: ProviderRegistry,
    private readonly health: HealthBook,
    @Inject(ROUTING_RUNTIME) private readonly runtime: RoutingRuntime,
  ) {}

  /**
   * Resolves with the first answer. Throws at once what is not retryable, `client_closed` when the signal is aborted,
   * `deadline_exceeded` when a further attempt was cut short by the deadline (a first one is a `provider_timeout`: it
   * had all the time there was), else the most telling failure.
   */
  async run<T>(request: AttemptRequest, attempt: Attempt<T>): Promise<Attempted<T>> {
    const { plan } = request;
    const totalMs = Math.min(request.deadlineMs, plan.model.timeouts.totalMs);
    if (totalMs <= 0) throw new GatewayError('deadline_exceeded');
    const run: Run<T> = { request, attempt, deadlineAtMs: this.runtime.now() + totalMs };
    // All of the plan's providers are held from the start: a reload during the first attempt must not close the second.
    const leases = this.acquire(plan.attempts);
    let winner: Provider | undefined;
    try {
      const answer = await this.firstAnswer(run);
      winner = answer.deployment.provider;
      return this.attempted(answer, leases.get(winner));
    } finally {
      for (const [provider, lease] of leases) if (provider !== winner) lease.release();
    }
  }

  private acquire(deployments: readonly Deployment[]): Map<Provider, ProviderLease> {
    const leases = new Map<Provider, ProviderLease>();
    for (const { provider } of deployments) {
      if (!leases.has(provider)) leases.set(provider, this.providers.acquire(provider));
    }
    return leases;
  }

  private attempted<T>(answer: Answer<T>, lease: ProviderLease | undefined): Attempted<T> {
    const { value, deployment, startedAtMs } = answer;
    let isOver = false;
    const release = (failure?: GatewayError): void => {
      if (isOver) return;
      isOver = true;
      if (failure === undefined) this.health.succeeded(deployment, startedAtMs);
      else this.health.failed(deployment, failure);
      lease?.release();
    };
    return { value, deployment, release };
  }

  private async firstAnswer<T>(run: Run<T>): Promise<Answer<T>> {
    const { plan, signal } = run.request;
    let failure: GatewayError | undefined;
    let position = 0;
    for (let tries = 1; tries <= plan.model.maxAttempts; tries++) {
      const deployment = plan.attempts[position];
      if (deployment === undefined) break;
      if (signal.aborted) throw abortError(signal);
      const outcome = await this.tryOne(run, deployment);
      if (!('error' in outcome)) return outcome;
      const { error, mayBeElsewhere } = outcome;
      if (!mayBeElsewhere) throw error.code === 'deadline_exceeded' ? moreTelling(failure, error) : error;
      failure = moreTelling(failure, error);
      if (plan.attempts.length > 1) position++;
      else if (tries > 1 || tries === plan.model.maxAttempts || !(await this.pause(run, error))) break;
      if (this.runtime.now() >= run.deadlineAtMs) break;
    }
    throw failure ?? new GatewayError('no_deployment');
  }

  /** Waits before the same deployment is tried again; false = it is not to be. */
  private async pause<T>({ request, deadlineAtMs }: Run<T>, error: GatewayError): Promise<boolean> {
    const delayMs = repeatDelayMs(error, 0, this.runtime.random);
    if (delayMs === undefined || this.runtime.now() + delayMs >= deadlineAtMs) return false;
    try {
      await this.runtime.wait(delayMs, request.signal);
    } catch {
      throw abortError(request.signal);
    }
    return true;
  }

  private async tryOne<T>(run: Run<T>, deployment: Deployment): Promise<Outcome<T>> {
    const { request, attempt, deadlineAtMs } = run;
    const startedAtMs = this.runtime.now();
    const note = openRecord(request, deployment);
    let wasSent = false;
    const onDispatch = (): void => {
      wasSent = true;
      request.onDispatch?.();
    };
    try {
      const context = contextOf(request, deadlineAtMs - startedAtMs, onDispatch);
      const value = await attempt(deployment, context);
      request.record.deployment = deployment.id;
      request.record.provider = deployment.provider.name;
      return { value, deployment, startedAtMs };
    } catch (thrown) {
      const error = this.failureOf(run, thrown);
      note.error = error.code;
      const cannotExpress = isInexpressible(error, wasSent);
      if (!cannotExpress) this.health.failed(deployment, error);
      return { error, mayBeElsewhere: error.retryable || cannotExpress };
    } finally {
      note.durationMs = this.runtime.now() - startedAtMs;
      request.record.upstreamMs += note.durationMs;
    }
  }

  private failureOf<T>({ request, deadlineAtMs }: Run<T>, thrown: unknown): GatewayError {
    if (request.signal.aborted) return abortError(request.signal);
    const error = toGatewayError(thrown);
    // What was left was our choice, so it is no evidence against the deployment.
    const isCutShort = request.record.attempts.length > 1 && this.runtime.now() >= deadlineAtMs;
    return error.code === 'provider_timeout' && isCutShort
      ? new GatewayError('deadline_exceeded', { cause: error })
      : error;
  }
}

function openRecord({ plan, record, path }: AttemptRequest, deployment: Deployment): AttemptRecord {
  const { provider } = deployment;
  const native = record.dialect && attemptPath(provider, plan.model.operation, record.dialect);
  const note: AttemptRecord = {
    deployment: deployment.id,
    provider: provider.name,
    kind: provider.kind,
    path: path?.(deployment) ?? native ?? 'translated',
    durationMs: 0,
  };
  record.attempts.push(note);
  return note;
}

function contextOf(
  { plan, requestId, signal }: AttemptRequest,
  leftMs: number,
  onDispatch: () => void,
): AttemptContext {
  const { connectMs, firstContentMs, idleMs } = plan.model.timeouts;
  const timeouts = { connectMs, firstContentMs, idleMs, totalMs: Math.max(1, Math.floor(leftMs)) };
  return { requestId, signal, timeouts, onDispatch };
}

function abortError({ reason }: AbortSignal): GatewayError {
  return reason instanceof GatewayError ? reason : new GatewayError('client_closed');
}
