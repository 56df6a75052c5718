import type { ChatPart } from '../../contract/chat-response.js';
import { GatewayError } from '../../contract/errors.js';
import type { AttemptContext, PartSink, PartStream } from '../../contract/provider.js';
import type { MeasuredUsage } from '../../contract/usage.js';
import { abortError } from './sandbox.error.js';
import type { AnswerStep } from './sandbox.steps.js';
import { usageOf } from './sandbox.tokens.js';

/** Shortest time between two batches of a paced stream. */
const TICK_MS = 10;
/** Pieces of a batch when there is no pace. */
const UNPACED_BATCH = 64;

export interface StreamOptions {
  readonly steps: Iterator<AnswerStep, void>;
  readonly promptTokens: number;
  /** 0 = without pause. */
  readonly tokensPerSecond: number;
  /** Pieces before the silence; absent = none. */
  readonly stallAfter?: number;
  /** Pieces before the break; absent = none. */
  readonly breakAfter?: number;
  readonly context: AttemptContext;
  /** When the call began, of performance.now(). */
  readonly startedAtMs: number;
}

/**
 * Delivers an answer at its pace. It has one timer: for the next batch, or for the timeout that comes before it.
 * While paused only the total timeout runs.
 */
export class SandboxStream implements PartStream {
  private sink: PartSink | undefined;
  private timer: NodeJS.Timeout | undefined;
  private state: 'waiting' | 'flowing' | 'paused' | 'over' = 'waiting';
  private pieces = 0;
  private tokens = 0;
  private due = 0;
  private resumes = 0;
  private lastContentAtMs: number;
  private readonly tickMs: number;
  private readonly onAbort = (): void =>
    this.deliver([{ type: 'error', error: abortError(this.options.context.signal) }]);

  constructor(private readonly options: StreamOptions) {
    this.lastContentAtMs = options.startedAtMs;
    const { tokensPerSecond } = options;
    this.tickMs = tokensPerSecond === 0 ? 0 : Math.max(TICK_MS, 1_000 / tokensPerSecond);
  }

  start(sink: PartSink): void {
    if (this.state !== 'waiting') return;
    this.sink = sink;
    this.state = 'flowing';
    const { signal } = this.options.context;
    signal.addEventListener('abort', this.onAbort, { once: true });
    // The sink hears nothing before `start` has returned.
    if (signal.aborted) this.timer = setTimeout(this.onAbort, 0);
    else this.schedule();
  }

  resume(): void {
    this.resumes++;
    if (this.state !== 'paused') return;
    this.state = 'flowing';
    this.lastContentAtMs = performance.now();
    this.schedule();
  }

  destroy(): void {
    this.state = 'over';
    clearTimeout(this.timer);
    this.options.context.signal.removeEventListener('abort', this.onAbort);
  }

  /** The sandbox counts as it speaks, so what was delivered is known exactly. */
  usageSoFar(): MeasuredUsage {
    return usageOf(this.options.promptTokens, this.tokens, 'partial');
  }

  private schedule(): void {
    clearTimeout(this.timer);
    const now = performance.now();
    const { timeouts } = this.options.context;
    const isPaused = this.state === 'paused';
    const isSilent = isPaused || this.pieces === this.options.stallAfter;
    const silenceMs = this.pieces === 0 ? timeouts.firstContentMs : timeouts.idleMs;
    const totalLeft = this.options.startedAtMs + timeouts.totalMs - now;
    const left = isPaused ? totalLeft : Math.min(totalLeft, this.lastContentAtMs + silenceMs - now);
    const next = isSilent ? Infinity : this.tickMs;
    this.timer = next < left ? setTimeout(this.tick, next) : setTimeout(this.timeOut, Math.max(0, left));
  }

  private readonly timeOut = (): void => {
    this.deliver([{ type: 'error', error: new GatewayError('provider_timeout') }]);
  };

  private readonly tick = (): void => {
    const { tokensPerSecond } = this.options;
    this.due += tokensPerSecond === 0 ? UNPACED_BATCH : (tokensPerSecond * this.tickMs) / 1_000;
    const batch: ChatPart[] = [];
    while (this.takeInto(batch));
    if (batch.length === 0) this.schedule();
    else this.deliver(batch);
  };

  /** Takes one step; false when the batch is full or the stream at its end. */
  private takeInto(batch: ChatPart[]): boolean {
    if (this.pieces === this.options.breakAfter) {
      batch.push({ type: 'error', error: new GatewayError('provider_stream_broken') });
      return false;
    }
    if (this.due < 1 || this.pieces === this.options.stallAfter) return false;
    const step = this.options.steps.next();
    if (step.done === true) return false;
    const { part, tokens } = step.value;
    batch.push(part);
    this.tokens += tokens;
    if (part.type === 'text-delta' || part.type === 'tool-call-delta') {
      this.pieces++;
      this.due--;
      this.lastContentAtMs = performance.now();
    }
    return part.type !== 'finish';
  }

  private deliver(batch: readonly ChatPart[]): void {
    const last = batch.at(-1)?.type;
    if (last === 'finish' || last === 'error') this.destroy();
    const resumesBefore = this.resumes;
    const wantsMore = this.sink?.(batch) ?? false;
    if (this.state === 'over') return;
    if (!wantsMore && this.resumes === resumesBefore) this.state = 'paused';
    this.schedule();
  }
}
