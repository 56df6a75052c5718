import type { ByteSink, ByteSource } from '../../src/contract/byte-source.ts';
import type { ChatPart } from '../../src/contract/chat-response.ts';
import type { GatewayError } from '../../src/contract/errors.ts';
import type { NativeTap, PartSink, PartStream } from '../../src/contract/provider.ts';
import type { MeasuredUsage } from '../../src/contract/usage.ts';

/** What was done to a fake upstream, in order. */
export type UpstreamCall = 'start' | 'resume' | 'destroy';

/** Bytes that come when the test says so. What comes before the start waits, as with a real upstream. */
export class FakeByteSource implements ByteSource {
  readonly calls: UpstreamCall[] = [];
  /** What the sink last answered; false = it asked for a pause. */
  wantsMore = true;
  private sink: ByteSink | undefined;
  private waiting: ((sink: ByteSink) => void)[] = [];

  start(sink: ByteSink): void {
    this.calls.push('start');
    this.sink = sink;
    for (const deliver of this.waiting) deliver(sink);
    this.waiting = [];
  }

  resume(): void {
    this.calls.push('resume');
  }

  destroy(): void {
    this.calls.push('destroy');
    this.sink = undefined;
    this.waiting = [];
  }

  /** Bytes arrive. */
  push(text: string): void {
    this.deliver((sink) => (this.wantsMore = sink.data(Buffer.from(text))));
  }

  /** The body ends. */
  end(): void {
    this.deliver((sink) => sink.end());
  }

  /** The body breaks. */
  fail(error: GatewayError): void {
    this.deliver((sink) => sink.error(error));
  }

  private deliver(delivery: (sink: ByteSink) => void): void {
    if (this.calls.includes('destroy')) return;
    if (this.sink === undefined) this.waiting.push(delivery);
    else delivery(this.sink);
  }
}

/** Parts that come when the test says so. */
export class FakePartStream implements PartStream {
  readonly calls: UpstreamCall[] = [];
  /** What the sink last answered; false = it asked for a pause. */
  wantsMore = true;
  usage: MeasuredUsage | undefined;
  private sink: PartSink | undefined;
  private waiting: (readonly ChatPart[])[] = [];

  start(sink: PartSink): void {
    this.calls.push('start');
    this.sink = sink;
    for (const parts of this.waiting) sink(parts);
    this.waiting = [];
  }

  resume(): void {
    this.calls.push('resume');
  }

  destroy(): void {
    this.calls.push('destroy');
    this.sink = undefined;
    this.waiting = [];
  }

  usageSoFar(): MeasuredUsage | undefined {
    return this.usage;
  }

  /** Parts arrive together. */
  push(...parts: ChatPart[]): void {
    if (this.calls.includes('destroy')) return;
    if (this.sink === undefined) this.waiting.push(parts);
    else this.wantsMore = this.sink(parts);
  }
}

/** A tap that takes an event's data for the bits of what it is: `data: 1` is content. */
export class FakeTap implements NativeTap {
  /** The data it was shown. */
  readonly seen: string[] = [];
  told: MeasuredUsage | undefined;
  error: GatewayError | undefined;
  whole = false;
  bytes = 0;

  event(data: string): number {
    this.seen.push(data);
    return Number.parseInt(data, 10);
  }

  usage(): MeasuredUsage | undefined {
    return this.told;
  }

  failure(): GatewayError | undefined {
    return this.error;
  }

  isComplete(): boolean {
    return this.whole;
  }

  generatedBytes(): number {
    return this.bytes;
  }
}

/** Keeps what a relay writes. */
export class RecordingWriter {
  onDrain: (() => void) | undefined;
  /** Each write of its own. */
  readonly writes: string[] = [];
  /** False = the client is slow. */
  hasRoom = true;
  ending: 'end' | 'fail' | undefined;

  get text(): string {
    return this.writes.join('');
  }

  write(bytes: Buffer | string): boolean {
    this.writes.push(bytes.toString());
    return this.hasRoom;
  }

  end(): void {
    this.ending ??= 'end';
  }

  fail(event: string): void {
    this.write(event);
    this.ending ??= 'fail';
  }
}

/** A clock for what ticks: nothing moves unless the test says so. */
export class ManualTicker {
  readonly entries = new Set<{ tick(nowMs: number): void }>();

  add(entry: { tick(nowMs: number): void }): void {
    this.entries.add(entry);
  }

  remove(entry: { tick(nowMs: number): void }): void {
    this.entries.delete(entry);
  }

  tick(nowMs: number): void {
    for (const entry of this.entries) entry.tick(nowMs);
  }
}
