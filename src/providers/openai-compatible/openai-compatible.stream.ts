import type { ByteSink, ByteSource } from '../../contract/byte-source.js';
import { GatewayError, toGatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject } from '../../contract/json.js';
import type { SseEvent, SseSplitter } from '../../transport/sse-splitter.js';
import type { AnswerMender } from '../openai-wire/openai-wire.flavour.js';
import { missingCallId } from '../openai-wire/openai-wire.response.js';
import { hasId, mendContent, mendTier, mendWhole, parse, textOf } from './openai-compatible.response.js';

/** What an event can need mending for; one without any of these passes unread. */
const SUSPECT = /"tool_calls"|"x_groq"|"service_tier"|"content": ?\[/;

/** xAI leaves the finish reason out until there is one. */
function isSuspect(data: string): boolean {
  return SUSPECT.test(data) || (data.includes('"delta"') && !data.includes('"finish_reason"'));
}

/** The mender of all servers of the kind. */
export const MENDER: AnswerMender = {
  whole: mendWhole,
  stream: (source, splitter) => new MendedSource(source, splitter),
};

/** The calls of one choice so far. */
interface CallState {
  /** Wire index to the number the call goes by. */
  readonly numbers: Map<number, number>;
  readonly ids: string[];
}

/** Completes the events of one stream; what is whole keeps its bytes. */
export class ChunkMender {
  private readonly choices = new Map<number, CallState>();

  /** The bytes of one event. */
  bytes(event: SseEvent): Buffer {
    if (!isSuspect(event.data)) return event.raw;
    const chunk = parse(event.data);
    if (!isJsonObject(chunk) || !this.mend(chunk)) return event.raw;
    return Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`);
  }

  private mend(chunk: JsonObject): boolean {
    let isMended = mendTier(chunk);
    const groq = chunk['x_groq'];
    if (chunk['usage'] == null && isJsonObject(groq) && isJsonObject(groq['usage'])) {
      chunk['usage'] = groq['usage'];
      isMended = true;
    }
    for (const choice of Array.isArray(chunk['choices']) ? chunk['choices'] : []) {
      if (!isJsonObject(choice) || !isJsonObject(choice['delta'])) continue;
      if (choice['finish_reason'] === undefined) {
        choice['finish_reason'] = null;
        isMended = true;
      }
      const number = typeof choice['index'] === 'number' ? choice['index'] : 0;
      isMended = this.delta(choice['delta'], textOf(chunk['id']), number) || isMended;
    }
    return isMended;
  }

  private delta(delta: JsonObject, answerId: string, choice: number): boolean {
    let isMended = mendContent(delta);
    if (delta['tool_calls'] === null) {
      delete delta['tool_calls'];
      return true;
    }
    for (const call of Array.isArray(delta['tool_calls']) ? delta['tool_calls'] : []) {
      if (isJsonObject(call)) isMended = this.call(call, answerId, choice) || isMended;
    }
    return isMended;
  }

  private call(call: JsonObject, answerId: string, choice: number): boolean {
    let state = this.choices.get(choice);
    if (state === undefined) this.choices.set(choice, (state = { numbers: new Map(), ids: [] }));
    const before = JSON.stringify([call['index'], call['id'], call['type']]);
    const number = place(call, state);
    call['index'] = number;
    if (state.ids[number] === undefined) {
      const id = hasId(call) ? textOf(call['id']) : missingCallId(answerId, choice, number);
      state.ids[number] = id;
      call['id'] = id;
      if (typeof call['type'] !== 'string' && isJsonObject(call['function'])) call['type'] = 'function';
    } else if (call['id'] !== undefined && !hasId(call)) delete call['id'];
    return JSON.stringify([call['index'], call['id'], call['type']]) !== before;
  }
}

/**
 * Which of the calls an entry belongs to. A new id under a known index is another call, as is a name where there is no
 * index: such servers send each call whole.
 */
function place(call: JsonObject, { numbers, ids }: CallState): number {
  const { index } = call;
  const last = ids.length - 1;
  if (typeof index !== 'number') return startsCall(call) ? ids.length : Math.max(last, 0);
  const known = numbers.get(index);
  const isOther = known !== undefined && hasId(call) && ids[known] !== call['id'];
  if (known !== undefined && !isOther) return known;
  numbers.set(index, ids.length);
  return ids.length;
}

function startsCall(call: JsonObject): boolean {
  const called = call['function'];
  return hasId(call) || (isJsonObject(called) && textOf(called['name']) !== '');
}

/** A stream's bytes, each event completed on its way. */
class MendedSource implements ByteSource, ByteSink {
  private readonly mender = new ChunkMender();
  private sink: ByteSink | undefined;

  constructor(
    private readonly source: ByteSource,
    private readonly splitter: SseSplitter,
  ) {}

  start(sink: ByteSink): void {
    this.sink = sink;
    this.source.start(this);
  }

  resume(): void {
    this.source.resume();
  }

  destroy(): void {
    this.sink = undefined;
    this.source.destroy();
  }

  data(chunk: Buffer): boolean {
    const { sink } = this;
    if (sink === undefined) return true;
    try {
      const events = this.splitter.push(chunk).map((event) => this.mender.bytes(event));
      return events.length === 0 ? true : sink.data(Buffer.concat(events));
    } catch (thrown) {
      this.destroy();
      sink.error(toGatewayError(thrown));
      return true;
    }
  }

  end(): void {
    if (this.splitter.end()) this.sink?.error(new GatewayError('provider_stream_broken'));
    else this.sink?.end();
  }

  error(error: GatewayError): void {
    this.sink?.error(error);
  }
}
