import type { ByteSink, ByteSource } from '../../contract/byte-source.js';
import type { ChatPart } from '../../contract/chat-response.js';
import { toGatewayError, type GatewayError } from '../../contract/errors.js';
import type { PartSink, PartStream } from '../../contract/provider.js';
import type { MeasuredUsage } from '../../contract/usage.js';
import type { SseSplitter } from '../../transport/sse-splitter.js';
import { OpenAIStreamReader } from './openai-wire.stream.js';

/** The bytes of a chat completion stream as parts; what arrives together is handed on together. */
export class OpenAIPartStream implements PartStream, ByteSink {
  private readonly reader = new OpenAIStreamReader();
  private sink: PartSink | undefined;

  constructor(
    private readonly source: ByteSource,
    private readonly splitter: SseSplitter,
  ) {}

  start(sink: PartSink): void {
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

  usageSoFar(): MeasuredUsage | undefined {
    const { usage, over } = this.reader;
    return usage === undefined || over ? usage : { ...usage, source: 'partial' };
  }

  data(chunk: Buffer): boolean {
    // After the end the rest is read and dropped, so that the connection can be used again.
    if (this.reader.over) return true;
    const parts: ChatPart[] = [];
    try {
      for (const { data } of this.splitter.push(chunk)) {
        for (const part of this.reader.push(data)) parts.push(part);
      }
    } catch (thrown) {
      parts.push(...this.reader.fail(toGatewayError(thrown)));
    }
    return this.deliver(parts);
  }

  end(): void {
    this.deliver(this.reader.end());
  }

  error(error: GatewayError): void {
    this.deliver(this.reader.fail(error));
  }

  private deliver(parts: readonly ChatPart[]): boolean {
    const last = parts.at(-1);
    if (last === undefined || this.sink === undefined) return true;
    if (last.type === 'error') this.source.destroy();
    const wantsMore = this.sink(parts);
    return wantsMore || this.reader.over;
  }
}
