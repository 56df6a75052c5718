import type { ChatPart } from '../../contract/chat-response.js';
import { toGatewayError } from '../../contract/errors.js';
import type { PartStream } from '../../contract/provider.js';
import type { MeasuredUsage } from '../../contract/usage.js';
import type { StreamPresenter } from '../dialects/dialect.js';
import { Relay, type RelayOptions, type RelayProgress } from './relay.js';

/** What a translated stream is made of. */
export interface TranslatedRelayOptions extends RelayOptions {
  readonly stream: PartStream;
  readonly presenter: StreamPresenter;
}

/** UTF-8 bytes of what a part shows of the model's own writing; 0 for parts that show none. */
function generatedBytes(part: ChatPart): number {
  switch (part.type) {
    case 'text-delta':
    case 'reasoning-delta':
    case 'refusal-delta':
      return Buffer.byteLength(part.text);
    case 'tool-call-start':
      return Buffer.byteLength(part.name);
    case 'tool-call-delta':
      return Buffer.byteLength(part.arguments);
    case 'start':
    case 'annotation':
    case 'choice-finish':
    case 'finish':
    case 'error':
      return 0;
  }
}

/** Presents canonical parts in the caller's dialect. */
export class TranslatedRelay extends Relay {
  private generated = 0;
  private usage: MeasuredUsage | undefined;

  constructor(private readonly translated: TranslatedRelayOptions) {
    super(translated);
  }

  start(): void {
    if (this.isOver) return;
    this.translated.stream.start((parts) => this.take(parts));
  }

  protected progress(): RelayProgress {
    return { usage: this.usage ?? this.translated.stream.usageSoFar(), generatedBytes: this.generated };
  }

  protected destroySource(): void {
    this.translated.stream.destroy();
  }

  protected resumeSource(): void {
    this.translated.stream.resume();
  }

  /** Never throws: a defect of ours fails this stream, not the process. */
  private take(parts: readonly ChatPart[]): boolean {
    if (this.isOver) return true;
    try {
      return this.pass(parts);
    } catch (thrown) {
      this.fail(toGatewayError(thrown));
      return true;
    }
  }

  private pass(parts: readonly ChatPart[]): boolean {
    const { presenter } = this.translated;
    let text = '';
    let hasContent = false;
    let last: ChatPart | undefined;
    for (const part of parts) {
      last = part;
      if (part.type === 'error') break;
      const bytes = generatedBytes(part);
      this.generated += bytes;
      if (bytes > 0 || part.type === 'tool-call-start') hasContent = true;
      text += presenter.present(part);
      if (part.type === 'finish') break;
    }
    const ready = text === '' ? true : this.emit(text, hasContent);
    if (last?.type === 'error') this.fail(last.error);
    else if (last?.type === 'finish') {
      this.usage = last.usage;
      this.complete();
    }
    return ready;
  }
}
