import type { ByteSource } from '../../contract/byte-source.js';
import type { ChatPart } from '../../contract/chat-response.js';
import type { PartSink, PartStream } from '../../contract/provider.js';
import type { MeasuredUsage } from '../../contract/usage.js';
import { EventStreamDecoder } from '../../transport/event-stream.js';
import type { ConverseStreamReader } from './bedrock.stream.js';

/**
 * The parts of an answer, out of its bytes. Parts that arrived in one chunk go out together. After the last part the
 * rest of the bytes is read and dropped, so that the connection can be used again.
 */
export class ConversePartStream implements PartStream {
  private readonly decoder = new EventStreamDecoder();

  constructor(
    private readonly source: ByteSource,
    private readonly reader: ConverseStreamReader,
  ) {}

  start(sink: PartSink): void {
    this.source.start({
      data: (chunk) => this.data(chunk, sink),
      end: () => deliver(this.reader.end(this.decoder.end()), sink),
      error: (error) => deliver(this.reader.fail(error), sink),
    });
  }

  resume(): void {
    this.source.resume();
  }

  destroy(): void {
    if (!this.reader.isDone) this.source.destroy();
  }

  usageSoFar(): MeasuredUsage | undefined {
    return this.reader.usage;
  }

  private data(chunk: Buffer, sink: PartSink): boolean {
    if (this.reader.isDone) return true;
    const parts: ChatPart[] = [];
    for (const message of this.decoder.push(chunk)) {
      for (const part of this.reader.push(message)) parts.push(part);
    }
    if (this.decoder.failure !== undefined) parts.push(...this.reader.fail(this.decoder.failure));
    if (parts.at(-1)?.type === 'error') this.source.destroy();
    return deliver(parts, sink) || this.reader.isDone;
  }
}

function deliver(parts: readonly ChatPart[], sink: PartSink): boolean {
  return parts.length === 0 || sink(parts);
}
