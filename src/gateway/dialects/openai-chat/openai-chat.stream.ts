import type { ChatPart } from '../../../contract/chat-response.js';
import type { PresentOptions, StreamPresenter } from '../dialect.js';
import { FINISH_REASONS, reasoningDetail, stateFields } from './openai-chat.response.js';
import { presentUsage } from './openai-usage.js';

/** The mark of a whole stream. */
export const DONE_EVENT = 'data: [DONE]\n\n';

/**
 * Stream parts as `chat.completion.chunk` events (source: OpenAI API reference, "The chat completion chunk object").
 * All chunks of a stream share id, created and model; the first delta of a choice carries the role, for a choice that
 * ends without a word too. State of reasoning goes out with the whole text it vouches for, which a caller has to give
 * back with it.
 */
export class OpenAiChatStream implements StreamPresenter {
  private head: string;
  private readonly tail: string;
  private readonly openedChoices = new Set<number>();
  /** Reasoning of each choice since its last state. */
  private readonly reasoning = new Map<number, string>();

  constructor(private readonly options: PresentOptions & { readonly includeUsage: boolean }) {
    this.head = this.makeHead({ type: 'start' });
    this.tail = options.includeUsage ? ',"usage":null}\n\n' : '}\n\n';
  }

  present(part: ChatPart): string {
    switch (part.type) {
      case 'start':
        this.head = this.makeHead(part);
        return '';
      case 'text-delta':
        return this.delta(part.choice, `{"content":${JSON.stringify(part.text)}}`, part.logprobs);
      case 'reasoning-delta':
        return this.reason(part);
      case 'refusal-delta':
        return this.delta(part.choice, `{"refusal":${JSON.stringify(part.text)}}`);
      case 'tool-call-start': {
        const call = {
          index: part.index,
          id: part.id,
          type: 'function',
          function: { name: part.name, arguments: '' },
          ...stateFields(part.state),
        };
        return this.delta(part.choice, JSON.stringify({ tool_calls: [call] }));
      }
      case 'tool-call-delta':
        return this.delta(
          part.choice,
          `{"tool_calls":[{"index":${part.index},"function":{"arguments":${JSON.stringify(part.arguments)}}}]}`,
        );
      case 'annotation':
        return this.delta(part.choice, JSON.stringify({ annotations: [part.annotation] }));
      case 'choice-finish':
        return this.finishChoice(part.choice ?? 0, FINISH_REASONS[part.reason]);
      case 'finish':
        return this.end(part);
      case 'error':
        return '';
    }
  }

  private makeHead(start: Extract<ChatPart, { type: 'start' }>): string {
    const id = JSON.stringify(start.id ?? `chatcmpl-${this.options.requestId}`);
    const created = start.createdSeconds ?? this.options.nowSeconds;
    const model = JSON.stringify(start.model ?? this.options.model);
    return `data: {"id":${id},"object":"chat.completion.chunk","created":${created},"model":${model},"choices":[`;
  }

  private delta(ofChoice: number | undefined, delta: string, logprobs?: unknown): string {
    const choice = ofChoice ?? 0;
    return this.opening(choice) + this.chunk(choice, delta, undefined, logprobs);
  }

  private finishChoice(choice: number, reason: string): string {
    return this.opening(choice) + this.chunk(choice, '{}', reason);
  }

  /** The chunk with the role; '' when the choice has had it. */
  private opening(choice: number): string {
    if (this.openedChoices.has(choice)) return '';
    this.openedChoices.add(choice);
    return this.chunk(choice, '{"role":"assistant","content":""}');
  }

  private reason({ choice = 0, text, state }: Extract<ChatPart, { type: 'reasoning-delta' }>): string {
    if (text === '' && state === undefined) return '';
    const all = (this.reasoning.get(choice) ?? '') + text;
    this.reasoning.set(choice, state === undefined ? all : '');
    const content = text === '' ? undefined : text;
    const details = state === undefined ? undefined : [reasoningDetail(all, state)];
    return this.delta(choice, JSON.stringify({ reasoning_content: content, reasoning_details: details }));
  }

  private chunk(choice: number, delta: string, finishReason?: string, logprobs?: unknown): string {
    const probabilities = logprobs === undefined ? 'null' : JSON.stringify(logprobs);
    const reason = finishReason === undefined ? 'null' : `"${finishReason}"`;
    return `${this.head}{"index":${choice},"delta":${delta},"logprobs":${probabilities},"finish_reason":${reason}}]${this.tail}`;
  }

  private end({ usage }: Extract<ChatPart, { type: 'finish' }>): string {
    if (!this.options.includeUsage || usage === undefined) return DONE_EVENT;
    return `${this.head}],"usage":${JSON.stringify(presentUsage(usage))}}\n\n${DONE_EVENT}`;
  }
}
