import type { ServerResponse } from 'node:http';

/** An answer as bytes. `pieces` are events of a stream, or one whole body. */
export interface WireAnswer {
  readonly status: number;
  /** A stream is sent chunked; a body of one piece with its Content-Length unless `chunked` is set. */
  readonly headers: Readonly<Record<string, string>>;
  readonly pieces: readonly Buffer[];
  /** Tokens each piece stands for; absent = 0. */
  readonly tokens?: readonly number[];
  /** True = chunked even for one piece. */
  readonly chunked?: boolean;
}

/** How the bytes travel, and how the journey ends. Byte counts are of the body, headers excluded. */
export interface Delivery {
  /** Wait before the headers, in milliseconds. */
  readonly delayMs?: number;
  /** Never answers; the connection stays open. */
  readonly silent?: boolean;
  /** Sends the headers at once and waits this long before the first piece. */
  readonly firstPieceMs?: number;
  /** Wait between pieces, in milliseconds; default 0: all at once. */
  readonly gapMs?: number;
  /** Sends this many pieces, then stays silent with the connection open. */
  readonly stallAfterPieces?: number;
  /** Cuts the body into writes of this many bytes, each its own segment. */
  readonly writeBytes?: number;
  /** TCP reset after this many body bytes; -1 = before the headers. */
  readonly resetAfterBytes?: number;
  /** Ends the body properly after this many bytes, as if it were whole. */
  readonly endAfterBytes?: number;
  /** Closes the connection (FIN) after this many bytes without the end of the body. */
  readonly closeAfterBytes?: number;
}

/** What the player writes down as it goes. */
export interface WireLedger {
  bytesOut: number;
  piecesOut: number;
  tokensOut: number;
  completed: boolean;
}

interface PlayOptions {
  readonly delivery: Delivery;
  readonly ledger: WireLedger;
}

/** Sends an answer as scripted. It returns at once; the ledger tells how far it came. */
export function playWire(response: ServerResponse, answer: WireAnswer, options: PlayOptions): void {
  const { delivery } = options;
  if (delivery.silent === true) return;
  if (delivery.resetAfterBytes === -1) {
    response.socket?.resetAndDestroy();
    return;
  }
  if (delivery.delayMs === undefined) void new Player(response, answer, options).run();
  else after(delivery.delayMs, response, () => void new Player(response, answer, options).run());
}

function after(delayMs: number, response: ServerResponse, action: () => void): void {
  const timer = setTimeout(action, delayMs);
  response.once('close', () => clearTimeout(timer));
}

class Player {
  private readonly response: ServerResponse;
  private readonly answer: WireAnswer;
  private readonly delivery: Delivery;
  private readonly ledger: WireLedger;
  private readonly limit: number;

  constructor(response: ServerResponse, answer: WireAnswer, options: PlayOptions) {
    this.response = response;
    this.answer = answer;
    this.delivery = options.delivery;
    this.ledger = options.ledger;
    const { resetAfterBytes, endAfterBytes, closeAfterBytes } = options.delivery;
    this.limit = resetAfterBytes ?? endAfterBytes ?? closeAfterBytes ?? Infinity;
  }

  async run(): Promise<void> {
    this.head();
    if (this.delivery.firstPieceMs !== undefined) {
      this.response.flushHeaders();
      await this.wait(this.delivery.firstPieceMs);
      if (this.response.destroyed) return;
    }
    if (this.isPlain()) return this.all();
    for (const [index, piece] of this.answer.pieces.entries()) {
      if (index === this.delivery.stallAfterPieces) return this.response.flushHeaders();
      if (index > 0 && this.delivery.gapMs !== undefined) await this.wait(this.delivery.gapMs);
      if (this.response.destroyed) return;
      if (!(await this.piece(index, piece))) return this.cut();
    }
    if (this.limit !== Infinity) return this.cut();
    if (this.delivery.stallAfterPieces === undefined) this.finish();
  }

  private isPlain(): boolean {
    const { gapMs, stallAfterPieces, writeBytes } = this.delivery;
    return gapMs === undefined && stallAfterPieces === undefined && writeBytes === undefined && this.limit === Infinity;
  }

  private head(): void {
    const { status, headers, pieces, chunked } = this.answer;
    const [first] = pieces;
    const isWhole = pieces.length <= 1 && chunked !== true;
    const length = isWhole ? { 'content-length': String(first?.length ?? 0) } : {};
    this.response.writeHead(status, { ...headers, ...length });
    if (this.limit === 0) this.response.flushHeaders();
  }

  private all(): void {
    // The socket is corked, not the response: its cork loses order with end() in chunked bodies.
    const { socket } = this.response;
    socket?.cork();
    this.answer.pieces.forEach((piece, index) => {
      this.count(index, piece.length);
      this.response.write(piece);
    });
    this.finish();
    socket?.uncork();
  }

  private finish(): void {
    this.ledger.completed = true;
    this.response.end();
  }

  private async piece(index: number, piece: Buffer): Promise<boolean> {
    const room = Math.min(piece.length, this.limit - this.ledger.bytesOut);
    const step = this.delivery.writeBytes ?? (room || 1);
    for (let from = 0; from < room; from += step) {
      if (this.response.destroyed) return true;
      await this.write(piece.subarray(from, Math.min(from + step, room)));
    }
    this.count(index, room);
    return room === piece.length && this.ledger.bytesOut < this.limit;
  }

  private count(index: number, bytes: number): void {
    this.ledger.bytesOut += bytes;
    this.ledger.piecesOut += 1;
    this.ledger.tokensOut += this.answer.tokens?.[index] ?? 0;
  }

  /** Resolves when the kernel has the bytes, or the connection is gone. */
  private write(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.response.off('close', done);
        if (this.delivery.writeBytes === undefined) resolve();
        else setImmediate(resolve);
      };
      this.response.once('close', done);
      this.response.write(bytes, done);
    });
  }

  private wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, delayMs);
      const response = this.response;
      function done(): void {
        clearTimeout(timer);
        response.off('close', done);
        resolve();
      }
      response.once('close', done);
    });
  }

  private cut(): void {
    const { resetAfterBytes, endAfterBytes } = this.delivery;
    if (this.response.destroyed) return;
    if (resetAfterBytes !== undefined) this.response.socket?.resetAndDestroy();
    else if (endAfterBytes !== undefined) this.response.end();
    else this.response.socket?.destroySoon();
  }
}
