import type { ChatRequest, Message, Tool } from '../../contract/chat-request.js';
import type { ChatResponse, ContentBlock, FinishReason } from '../../contract/chat-response.js';
import { GatewayError } from '../../contract/errors.js';
import { hashOf, seededRandom } from './sandbox.random.js';
import { type Instructions, lastUserText, textOf, toolsToCall, withoutInstructions } from './sandbox.request.js';
import { generate } from './sandbox.schema.js';
import { piecesOf, promptTokens, textTokens, usageOf } from './sandbox.tokens.js';

const MAX_CHOICES = 128;
const MAX_QUOTE = 200;

/** Who answers. */
export interface Speaker {
  /** The provider's configured name. */
  readonly provider: string;
  readonly model: string;
  readonly requestId: string;
  readonly createdSeconds: number;
}

/** One block of an answer, in pieces of a token each. */
export type AnswerBlock =
  | { readonly type: 'text'; readonly pieces: readonly string[] }
  | { readonly type: 'tool-call'; readonly id: string; readonly name: string; readonly pieces: readonly string[] };

export interface AnswerChoice {
  readonly blocks: readonly AnswerBlock[];
  readonly finishReason: FinishReason;
}

/** An answer before it is given whole or as a stream. */
export interface Answer extends Speaker {
  readonly choices: readonly AnswerChoice[];
  readonly promptTokens: number;
}

/** The answer to a request; the same request has the same answer. Throws `provider_rejected` for over 128 choices. */
export function composeAnswer(request: ChatRequest, instructions: Instructions, speaker: Speaker): Answer {
  const count = request.choices ?? 1;
  if (count > MAX_CHOICES) {
    throw new GatewayError('provider_rejected', { message: `The sandbox gives at most ${MAX_CHOICES} choices.` });
  }
  const tools = instructions.reply === undefined ? toolsToCall(request) : [];
  const choices = Array.from({ length: count }, (_, index) => {
    const blocks =
      tools.length > 0
        ? tools.map((tool, position) => callOf(tool, `${speaker.requestId}:${index}:${position}`))
        : [textBlock(request, instructions, { ...speaker, choice: index })];
    return bounded(blocks, request.maxOutputTokens ?? Infinity);
  });
  return { ...speaker, choices, promptTokens: promptTokens(request) };
}

/** The answer as a whole. */
export function wholeResponse(answer: Answer): ChatResponse {
  const completion = answer.choices.flatMap(({ blocks }) => blocks).reduce((sum, block) => sum + blockTokens(block), 0);
  return {
    id: answer.requestId,
    model: answer.model,
    createdSeconds: answer.createdSeconds,
    choices: answer.choices.map(({ blocks, finishReason }) => ({ content: blocks.map(wholeBlock), finishReason })),
    usage: usageOf(answer.promptTokens, completion, 'final'),
  };
}

function wholeBlock(block: AnswerBlock): ContentBlock {
  const text = block.pieces.join('');
  if (block.type === 'text') return { type: 'text', text };
  return { type: 'tool-call', id: block.id, name: block.name, arguments: text };
}

function blockTokens(block: AnswerBlock): number {
  return block.pieces.length + (block.type === 'tool-call' ? textTokens(block.name) : 0);
}

function callOf({ name, parameters }: Tool, place: string): AnswerBlock {
  const random = seededRandom(hashOf(name));
  const value = parameters === undefined ? {} : generate({ type: 'object', ...parameters }, random);
  const id = `call_${hashOf(place).toString(16).padStart(8, '0')}`;
  return { type: 'tool-call', id, name, pieces: piecesOf(JSON.stringify(value)) };
}

function textBlock(
  request: ChatRequest,
  instructions: Instructions,
  speaker: Speaker & { choice: number },
): AnswerBlock {
  const text = answerText(request, instructions, speaker);
  const pieces = piecesOf(beforeStop(stretched(text, instructions.tokens), request.stop ?? []));
  return { type: 'text', pieces };
}

function answerText(request: ChatRequest, { reply }: Instructions, speaker: Speaker & { choice: number }): string {
  if (reply !== undefined) return reply;
  const { responseFormat, messages } = request;
  const text = messages.at(-1)?.role === 'tool' ? resultText(messages) : greeting(lastUserText(messages), speaker);
  if (responseFormat?.type === 'json-object') return JSON.stringify({ reply: text });
  if (responseFormat?.type !== 'json-schema') return text;
  const seed = hashOf(lastUserText(messages)) + speaker.choice;
  return JSON.stringify(generate(responseFormat.schema, seededRandom(seed)));
}

function greeting(asked: string, { provider, model, choice }: Speaker & { choice: number }): string {
  const characters = [...withoutInstructions(asked).slice(0, 2 * (MAX_QUOTE + 1))];
  const quote = characters.slice(0, MAX_QUOTE).join('') + (characters.length > MAX_QUOTE ? '…' : '');
  return (
    `${choice === 0 ? '' : `(${choice + 1}) `}${quote === '' ? 'You said nothing.' : `You said: "${quote}".`} ` +
    `This is the sandbox "${provider}" speaking as "${model}"; no model was asked. ` +
    'For real answers, add a provider to the configuration and name it in a deployment of this model.'
  );
}

function resultText(messages: readonly Message[]): string {
  const from = messages.findLastIndex(({ role }) => role !== 'tool') + 1;
  return messages
    .slice(from)
    .map((message) => `The tool ${toolName(messages, message)} answered: ${textOf(message)}`)
    .join('\n');
}

function toolName(messages: readonly Message[], message: Message): string {
  if (message.role !== 'tool') return '';
  for (const { role, content } of messages) {
    if (role !== 'assistant') continue;
    const call = content.find((part) => part.type === 'tool-call' && part.id === message.toolCallId);
    if (call?.type === 'tool-call') return call.name;
  }
  return message.toolCallId;
}

/** The text repeated and cut to so many tokens of 4 bytes; as it is when none are asked for. */
function stretched(text: string, tokens: number | undefined): string {
  if (tokens === undefined) return text;
  const unit = `${text} `;
  const pieces = piecesOf(unit.repeat(Math.ceil((tokens * 4) / Buffer.byteLength(unit))));
  return pieces.slice(0, tokens).join('');
}

function beforeStop(text: string, stop: readonly string[]): string {
  const found = stop.filter((each) => each !== '').map((each) => text.indexOf(each));
  const first = Math.min(...found.filter((at) => at !== -1), text.length);
  return text.slice(0, first);
}

/** The blocks cut to the caller's bound of tokens. */
function bounded(blocks: readonly AnswerBlock[], maximum: number): AnswerChoice {
  const kept: AnswerBlock[] = [];
  let left = maximum;
  for (const block of blocks) {
    const tokens = blockTokens(block);
    if (tokens > left) {
      const room = Math.max(0, left - (tokens - block.pieces.length));
      kept.push({ ...block, pieces: block.pieces.slice(0, room) });
      return { blocks: kept, finishReason: 'length' };
    }
    kept.push(block);
    left -= tokens;
  }
  return { blocks: kept, finishReason: blocks.some(({ type }) => type === 'tool-call') ? 'tool-calls' : 'stop' };
}
