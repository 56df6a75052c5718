import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { playWire, type Delivery, type WireAnswer } from './fake-wire.ts';

/** One tool call a scripted answer makes. `arguments` is JSON text. */
export interface ReplyToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** The counts a scripted answer reports; totals contain their parts, as in the contract's Usage. */
export interface ReplyUsage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedPromptTokens?: number;
  readonly cacheWriteTokens?: number;
  readonly reasoningTokens?: number;
}

/** An answer in no wire's words; each fake says it in its own dialect. Everything absent has a plain default. */
export interface Reply {
  /** Default 'Hello from the model.' unless there are tool calls, a refusal or vectors. */
  readonly text?: string;
  /** How the text is cut in a stream; default: words. Joined it must be `text`, which it may replace. */
  readonly deltas?: readonly string[];
  readonly reasoning?: string;
  readonly refusal?: string;
  readonly toolCalls?: readonly ReplyToolCall[];
  /** Default 'stop', or 'tool-calls' with tool calls. */
  readonly finishReason?: 'stop' | 'length' | 'tool-calls' | 'content-filter';
  /** `null` = the answer tells none; default 11 prompt and 7 completion tokens. */
  readonly usage?: ReplyUsage | null;
  /** The wire's usage object word for word instead of `usage`: for counts that are nonsense. */
  readonly rawUsage?: unknown;
  readonly id?: string;
  readonly model?: string;
  /** How many choices, all alike; default 1. */
  readonly choices?: number;
  /** Embeddings: one vector per input; default made from the inputs' number. */
  readonly vectors?: readonly (readonly number[])[];
}

/** A refusal of the provider, in its own dialect's error body. */
export interface Failure {
  readonly status: number;
  /** The dialect's code or exception name; default fitting the status. */
  readonly code?: string;
  readonly message?: string;
  /** Value of the Retry-After header. */
  readonly retryAfter?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The body word for word instead of the dialect's form. */
  readonly body?: unknown;
}

/** What the fake does with one request. At most one of `reply`, `failure`, `wire`; none = the default reply. */
export interface Script {
  readonly reply?: Reply;
  readonly failure?: Failure;
  /** Bytes as they stand. */
  readonly wire?: WireAnswer;
  readonly delivery?: Delivery;
}

/** What really happened to one request: the ground truth tests compare with. */
export interface FakeRecord {
  readonly index: number;
  readonly method: string;
  /** Path with query, as received. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The port of the client's socket: equal ports mean that a connection was reused. */
  readonly clientPort: number;
  readonly body: Buffer;
  /** The parsed body; undefined when it is no JSON. */
  readonly json: unknown;
  readonly model: string | undefined;
  /** `performance.now()` when the body was complete. */
  readonly receivedAtMs: number;
  status: number;
  /** Body bytes handed to the socket. */
  bytesOut: number;
  /** Pieces (events) handed to the socket. */
  piecesOut: number;
  /** Tokens those pieces stand for: what a provider would have generated and billed. */
  tokensOut: number;
  /** True when the answer was handed over whole. */
  completed: boolean;
  /** `performance.now()` when the answer ended or its connection closed. */
  closedAtMs: number | undefined;
  /** Resolves with the record when `closedAtMs` is set. */
  readonly closed: Promise<FakeRecord>;
}

interface Waiter {
  readonly resolve: (record: FakeRecord) => void;
}

/**
 * A provider on loopback that speaks real bytes and keeps a ledger of what it really did. Scripts are taken from
 * the queue first, then by model name, then the default script; never by a header a gateway would forward.
 */
export abstract class FakeUpstream {
  /** Newest last. */
  readonly records: FakeRecord[] = [];
  /** What requests get that nothing else is scripted for. */
  defaultScript: Script = {};
  /** How many records are kept; lower it for benchmarks. */
  keepRecords = 10_000;
  /** Connections accepted so far. */
  connections = 0;
  private readonly server: Server;
  private readonly queue: Script[] = [];
  private readonly byModel = new Map<string, Script>();
  private readonly unclaimed: FakeRecord[] = [];
  private readonly waiters: Waiter[] = [];
  private received = 0;

  constructor() {
    this.server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => this.receive(request, response));
    this.server.on('connection', (socket: Socket) => {
      this.connections += 1;
      socket.setNoDelay(true);
    });
    this.server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** The answer to one request in the fake's own wire, or what is wrong with it (authentication, path). */
  protected abstract answer(record: FakeRecord, script: Script): WireAnswer;

  /** The model a request names, by path or body; undefined = none. */
  protected abstract modelOf(path: string, json: unknown): string | undefined;

  /** Starts listening on 127.0.0.1 and returns the origin. Port 0 = any. */
  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    return this.origin;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Scripts for the next requests, in order. */
  enqueue(...scripts: readonly Script[]): void {
    this.queue.push(...scripts);
  }

  /** The script of every request for a model; `undefined` takes it away. */
  forModel(model: string, script: Script | undefined): void {
    if (script === undefined) this.byModel.delete(model);
    else this.byModel.set(model, script);
  }

  /** The next request nobody has awaited yet, in order of arrival. */
  nextRequest(): Promise<FakeRecord> {
    const record = this.unclaimed.shift();
    if (record !== undefined) return Promise.resolve(record);
    return new Promise((resolve) => this.waiters.push({ resolve }));
  }

  /** Forgets scripts and records; open answers go on. */
  reset(): void {
    this.queue.length = 0;
    this.byModel.clear();
    this.records.length = 0;
    this.unclaimed.length = 0;
    this.defaultScript = {};
  }

  /** Destroys every connection and stops listening. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }

  private receive(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined);
    request.on('end', () => this.serve(request, response, Buffer.concat(chunks)));
  }

  private serve(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const record = this.open(request, response, body);
    const script = this.queue.shift() ?? this.byModel.get(record.model ?? '') ?? this.defaultScript;
    const answer = script.wire ?? this.answer(record, script);
    record.status = answer.status;
    playWire(response, answer, { delivery: script.delivery ?? {}, ledger: record });
  }

  private open(request: IncomingMessage, response: ServerResponse, body: Buffer): FakeRecord {
    const json = parse(body);
    const path = request.url ?? '/';
    let settle: (record: FakeRecord) => void = () => undefined;
    const record: FakeRecord = {
      index: this.received,
      method: request.method ?? 'GET',
      path,
      headers: request.headers,
      clientPort: request.socket.remotePort ?? 0,
      body,
      json,
      model: this.modelOf(path, json),
      receivedAtMs: performance.now(),
      status: 0,
      bytesOut: 0,
      piecesOut: 0,
      tokensOut: 0,
      completed: false,
      closedAtMs: undefined,
      closed: new Promise<FakeRecord>((resolve) => (settle = resolve)),
    };
    this.received += 1;
    response.once('close', () => {
      record.closedAtMs = performance.now();
      settle(record);
    });
    response.on('error', () => undefined);
    this.keep(record);
    return record;
  }

  private keep(record: FakeRecord): void {
    const waiter = this.waiters.shift();
    if (waiter !== undefined) waiter.resolve(record);
    if (this.keepRecords === 0) return;
    if (waiter === undefined) this.unclaimed.push(record);
    this.records.push(record);
    if (this.records.length > this.keepRecords) this.records.shift();
    if (this.unclaimed.length > this.keepRecords) this.unclaimed.shift();
  }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** The text of a reply and its pieces in a stream. */
export function replyDeltas(reply: Reply): readonly string[] {
  if (reply.deltas !== undefined) return reply.deltas;
  const hasOther = reply.toolCalls !== undefined || reply.refusal !== undefined;
  const text = reply.text ?? (hasOther ? '' : 'Hello from the model.');
  return text === '' ? [] : text.split(/(?<= )/);
}

/** The text of a reply. */
export function replyText(reply: Reply): string {
  return replyDeltas(reply).join('');
}

/** The usage of a reply with defaults; null = none is told. */
export function replyUsage(reply: Reply): Required<ReplyUsage> | null {
  if (reply.usage === null) return null;
  const usage = reply.usage ?? { promptTokens: 11, completionTokens: 7 };
  return { cachedPromptTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0, ...usage };
}
