import type { ByteSink, ByteSource } from '../../contract/byte-source.js';
import type { ChatPart } from '../../contract/chat-response.js';
import { toGatewayError, type GatewayError } from '../../contract/errors.js';
import type { PartSink, PartStream } from '../../contract/provider.js';
import type { MeasuredUsage } from '../../contract/usage.js';
import { SseSplitter } from '../../transport/sse-splitter.js';
import type { GeminiService } from './service.js';
import { GeminiStreamReader } from './stream.js';

/** Longest event taken: one event holds a whole tool call, or a thought signature of some hundred kilobytes. */
const MAX_EVENT_BYTES = 4_194_304;

/** The bytes of a streamGenerateContent answer as parts; what arrives together is handed on together. */
export class GeminiPartStream implements PartStream, ByteSink {
  private readonly splitter = new SseSplitter(MAX_EVENT_BYTES);
  private readonly reader: GeminiStreamReader;
  private sink: PartSink | undefined;
  private isOver = false;

  constructor(
    private readonly source: ByteSource,
    service: GeminiService,
  ) {
    this.reader = new GeminiStreamReader(service);
  }

  start(sink: PartSink): void {
    this.sink = sink;
    this.source.start(this);
  }

  resume(): void {
    this.source.resume();
  }

  destroy(): void {
    this.isOver = true;
    this.source.destroy();
  }

  usageSoFar(): MeasuredUsage | undefined {
    const { usage } = this.reader;
    return usage === undefined ? undefined : { ...usage, source: 'partial' };
  }

  data(chunk: Buffer): boolean {
    if (this.isOver) return true;
    const parts: ChatPart[] = [];
    try {
      for (const event of this.splitter.push(chunk)) {
        for (const part of this.reader.push(event.data)) parts.push(part);
      }
    } catch (thrown) {
      this.fail(parts, toGatewayError(thrown));
      return true;
    }
    if (this.reader.failed) {
      this.finish(parts);
      this.source.destroy();
      return true;
    }
    return parts.length === 0 || (this.sink?.(parts) ?? true);
  }

  end(): void {
    if (this.isOver) return;
    this.finish(this.splitter.end() ? this.reader.cut() : this.reader.end());
  }

  error(error: GatewayError): void {
    if (!this.isOver) this.finish([{ type: 'error', error }]);
  }

  private fail(parts: ChatPart[], error: GatewayError): void {
    this.finish([...parts, { type: 'error', error }]);
    this.source.destroy();
  }

  private finish(parts: ChatPart[]): void {
    this.isOver = true;
    this.sink?.(parts);
  }
}
