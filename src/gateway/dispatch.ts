import type { Deployment } from '../contract/plan.js';
import { GatewayError } from '../contract/errors.js';
import type { AttemptContext, LossWarning } from '../contract/provider.js';
import type { Settlement } from '../quota/settlement.js';
import type { AttemptRequest } from '../routing/attempt-runner.js';
import type { AnyDialect, ChatDialect } from './dialects/dialect.js';
import { DRAIN_MS, type DrainSlots } from './relay/drain-slots.js';
import type { Relay } from './relay/relay.js';
import type { ResponseWriter, StreamSettings } from './relay/response-writer.js';
import type { GatewayCall } from './request/gateway-call.js';
import type { LiveRequest } from './request/live-request.js';

/** Longest value of the warnings header. */
const MAX_WARNINGS_LENGTH = 2_048;

/** A field's name as a caller wrote it, for a header: percent-encoded where it is not plain visible ASCII. */
function headerText(name: string): string {
  return /[^!-~]|[,=%]/.test(name) ? encodeURIComponent(name.toWellFormed()) : name;
}

interface DispatchParts {
  readonly live: LiveRequest;
  readonly call: GatewayCall;
  readonly settlement: Settlement;
  readonly writer: ResponseWriter;
  readonly settings: StreamSettings;
  readonly drains: DrainSlots;
}

/** State of one call while it is being answered, and what becomes of it when its client leaves. */
export class Dispatch {
  readonly live: LiveRequest;
  readonly writer: ResponseWriter;
  readonly settings: StreamSettings;
  readonly dialect: AnyDialect;
  /** Tokens of the prompt as reserved; what an unmetered answer is charged for reading. */
  readonly promptTokens: number;
  /** True once bytes may have left for a provider: from then on the call can be billed. */
  wasDispatched = false;
  private readonly settlement: Settlement;
  private call: GatewayCall | undefined;
  private readonly drains: DrainSlots;
  private readonly upstream = new AbortController();
  private relay: Relay | undefined;
  private current: Deployment | undefined;
  private drainTimer: NodeJS.Timeout | undefined;

  constructor(parts: DispatchParts) {
    this.live = parts.live;
    this.call = parts.call;
    this.dialect = parts.call.dialect;
    this.writer = parts.writer;
    this.settings = parts.settings;
    this.settlement = parts.settlement;
    this.drains = parts.drains;
    this.promptTokens = parts.settlement.estimatedPromptTokens;
    parts.live.onAbandoned = this.abandoned;
    if (parts.live.isAbandoned) this.abandoned();
  }

  /** The call while it may still be attempted. */
  get request(): GatewayCall {
    if (this.call === undefined) throw new GatewayError('internal_error', { cause: 'the call was let go of' });
    return this.call;
  }

  /** What the attempt runner needs. */
  runRequest(): AttemptRequest {
    const { plan } = this.request;
    const { record, requestId, elapsedMs } = this.live;
    return {
      plan,
      requestId,
      signal: this.upstream.signal,
      record,
      deadlineMs: plan.model.timeouts.totalMs - elapsedMs,
    };
  }

  /** The attempt's context, so that the first byte sent is noticed. Throws `client_closed` when nobody waits. */
  enter(deployment: Deployment, context: AttemptContext): AttemptContext {
    if (this.live.isAbandoned) throw new GatewayError('client_closed');
    this.current = deployment;
    this.relay = undefined;
    this.live.record.warnings.length = 0;
    const { requestId, signal, timeouts, onDispatch } = context;
    return {
      requestId,
      signal,
      timeouts,
      beforeSend: this.refuseLosses,
      onDispatch: () => {
        this.wasDispatched = true;
        onDispatch();
      },
    };
  }

  /** In strict mode nothing is sent that would lose a field; what is emulated is not lost. */
  private readonly refuseLosses = (): void => {
    if (!this.request.isStrict) return;
    const lost = this.live.record.warnings.filter(({ kind }) => kind !== 'emulated');
    const [first] = lost;
    if (first === undefined) return;
    const fields = lost.map(({ field, kind, detail }) => ({ field: this.dialect.fieldName(field), kind, detail }));
    const names = fields.map(({ field }) => field).join(', ');
    throw new GatewayError('unsupported_parameter', {
      param: first.field,
      message: `The model cannot take these as asked: ${names}. Leave them out, or allow losses.`,
      extra: { losses: fields },
    });
  };

  readonly warn = (warning: LossWarning): void => {
    this.live.record.warnings.push(warning);
  };

  /** The relay that now carries the answer; a client's leaving reaches the upstream through it. */
  relays(relay: Relay): void {
    this.relay = relay;
    if (this.live.isAbandoned) this.abandoned();
  }

  /** Headers of the answer: limits left, and what was lost in translation. */
  headers(): Record<string, string> {
    const { warnings } = this.live.record;
    if (warnings.length === 0) return { ...this.settlement.headers };
    const text = warnings.map(({ field, kind }) => `${headerText(this.dialect.fieldName(field))}=${kind}`).join(', ');
    return { ...this.settlement.headers, 'x-tollgate-warnings': text.slice(0, MAX_WARNINGS_LENGTH) };
  }

  /** UTF-8 bytes of what the model generated in a whole answer. */
  generatedBytes(answer: Buffer | string): number {
    return this.dialect.operation === 'chat' ? this.dialect.generatedBytes(answer.toString()) : 0;
  }

  /** Called once when the first content has come; `providerHeaders` are those meant for callers. */
  committed(providerHeaders: Readonly<Record<string, string>>): void {
    if (this.live.clientGone) return;
    this.live.record.timeToFirstTokenMs = this.live.elapsedMs;
    this.writer.begin({ ...this.headers(), ...providerHeaders });
  }

  /** Starts the hold and heartbeat clocks of a stream. */
  watch(): void {
    this.writer.watch(this.chatDialect().streamContentType, () => this.headers());
  }

  /** The dialect of a call that streams. */
  chatDialect(): ChatDialect {
    if (this.dialect.operation === 'chat') return this.dialect;
    throw new GatewayError('internal_error', { cause: `${this.dialect.name} does not stream` });
  }

  /** The error with its field under the caller's own name. */
  inCallersWords(error: GatewayError): GatewayError {
    return error.param === undefined ? error : error.withParam(this.dialect.fieldName(error.param));
  }

  readonly streamError = (error: GatewayError): string => this.chatDialect().streamError(error);

  /** The answer is on its way: nothing of the caller's prompt is kept any longer. */
  forgetCall(): void {
    this.call = undefined;
    delete this.live.call;
  }

  /** The answer is over: settles it, or cancels what was never sent, and lets the record close. */
  close(): void {
    delete this.live.onAbandoned;
    if (this.drainTimer !== undefined) {
      clearTimeout(this.drainTimer);
      this.drains.free();
    }
    const { record } = this.live;
    if (this.wasDispatched) this.settlement.settle(record.usage, record);
    else this.settlement.cancel();
    this.live.release();
  }

  /** The client is gone, or the gateway cuts the request. */
  private readonly abandoned = (): void => {
    const error = this.live.cutBy ?? new GatewayError('client_closed');
    const readsOn =
      this.current?.provider.onDisconnect === 'drain' && this.wasDispatched && this.live.cutBy === undefined;
    if (!readsOn || !this.readOn()) return this.giveUp(error);
    this.relay?.detach();
  };

  private readOn(): boolean {
    if (this.drainTimer !== undefined) return true;
    if (!this.drains.take()) return false;
    this.drainTimer = setTimeout(() => this.giveUp(new GatewayError('client_closed')), DRAIN_MS);
    return true;
  }

  private giveUp(error: GatewayError): void {
    this.relay?.abandon(error);
    this.upstream.abort(error);
  }
}
