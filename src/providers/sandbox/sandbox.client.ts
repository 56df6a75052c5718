import { GatewayError } from '../../contract/errors.js';
import type { AttemptContext } from '../../contract/provider.js';
import type { SandboxSettings } from './sandbox.config.js';
import { abortError, failureOf } from './sandbox.error.js';
import { type Random, seededRandom } from './sandbox.random.js';
import type { Instructions } from './sandbox.request.js';

/** One call, as far as waiting and failing go. */
export interface SandboxCall {
  readonly instructions: Instructions;
  readonly model: string;
  readonly context: AttemptContext;
  readonly isStream: boolean;
}

/** Behaves like a network and a cloud behind it: takes time, fails where told, and honours the signal and timeouts. */
export class SandboxClient {
  private readonly random: Random;

  constructor(
    private readonly name: string,
    private readonly settings: SandboxSettings,
  ) {
    this.random = seededRandom(settings.seed);
  }

  /** Resolves when the answer may begin; rejects with the failure told, `provider_timeout` or `client_closed`. */
  async accept({ instructions, model, context, isStream }: SandboxCall): Promise<void> {
    const { signal, timeouts, beforeSend, onDispatch } = context;
    if (signal.aborted) throw abortError(signal);
    beforeSend?.();
    const failure = this.failure(instructions, model);
    if (failure?.code === 'provider_unreachable') throw failure;
    onDispatch();
    const isStalled = !isStream && instructions.stallAfter !== undefined;
    const waitMs = isStalled ? Infinity : (instructions.latencyMs ?? this.settings.latencyMs);
    const limitMs = isStream ? Math.min(timeouts.totalMs, timeouts.firstContentMs) : timeouts.totalMs;
    if (waitMs > 0) await elapse(waitMs, limitMs, signal);
    if (failure !== undefined) throw failure;
    if (!isStream && instructions.breakAfter !== undefined) throw new GatewayError('provider_stream_broken');
  }

  private failure({ fail }: Instructions, model: string): GatewayError | undefined {
    const { failRate, failStatus } = this.settings;
    const isUnlucky = failRate > 0 && this.random() < failRate;
    const isMeant = fail !== undefined && (fail.on === undefined || fail.on === this.name || fail.on === model);
    if (isMeant) return failureOf(fail);
    return isUnlucky ? failureOf({ what: String(failStatus) }) : undefined;
  }
}

function elapse(waitMs: number, limitMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(abortError(signal));
    };
    const onTime = (): void => {
      signal.removeEventListener('abort', onAbort);
      if (waitMs < limitMs) resolve();
      else reject(new GatewayError('provider_timeout'));
    };
    const timer = setTimeout(onTime, Math.min(waitMs, limitMs));
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
