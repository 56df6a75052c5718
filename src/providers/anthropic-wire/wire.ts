import type { ErrorType } from '@anthropic-ai/sdk/resources/shared';
import type {
  Base64ImageSource,
  DocumentBlockParam,
  ImageBlockParam,
  MessageCreateParamsBase,
  RedactedThinkingBlockParam,
  TextBlockParam,
  ThinkingBlockParam,
  Tool,
  ToolChoice,
  ToolResultBlockParam,
  ToolUseBlockParam,
} from '@anthropic-ai/sdk/resources/messages/messages';

/**
 * The Messages API as several kinds speak it. What a kind uses:
 * - request.ts `buildMessagesRequest(request, options)`: body without `model`, and the key to read the answer with
 * - count.ts `toCountBody(body)`, `readTokenCount(body)`: counting without generating
 * - response.ts `readMessagesResponse(body, key)`: a whole answer
 * - part-stream.ts `MessagesPartStream(source, splitter, reader)`, stream.ts `MessagesStreamReader(key, secrets)`: a stream
 * - error.ts `errorOfResponse(response, secrets)`, `badResponse(detail)`: failures
 * A kind adds the address, the credential and either `model` or `anthropic_version` to the body, and sends it.
 */

/** Who issued the states put into answers: signatures are good on every platform that serves Claude. */
export const ISSUER = 'anthropic-signature';

export type TextBlock = TextBlockParam;
export type ImageBlock = ImageBlockParam;
export type DocumentBlock = DocumentBlockParam;
export type ImageMediaType = Base64ImageSource['media_type'];
export type ToolResultBlock = ToolResultBlockParam;
export type ToolResultContent = TextBlock | ImageBlock | DocumentBlock;
export type WireBlock =
  | TextBlock
  | ImageBlock
  | DocumentBlock
  | ThinkingBlockParam
  | RedactedThinkingBlockParam
  | ToolUseBlockParam
  | ToolResultBlock;
export type WireTool = Tool;
export type WireToolChoice = ToolChoice;
export type WireErrorType = ErrorType;
export type WireEffort = 'low' | 'medium' | 'high' | 'xhigh' | 'max';
export type WireThinking = NonNullable<MessageCreateParamsBase['thinking']>;

/** One turn as sent. `system` only where the model takes instructions between the turns. */
export interface WireMessage {
  readonly role: 'user' | 'assistant' | 'system';
  readonly content: WireBlock[];
}

/** A body as sent, less what the kind adds. The SDK's newest types no longer know the sampling parameters. */
export type MessagesBody = Omit<MessageCreateParamsBase, 'model' | 'messages' | 'stream' | 'tools' | 'system'> & {
  messages: WireMessage[];
  system?: TextBlock[];
  tools?: WireTool[];
  stream?: true;
  temperature?: number;
  top_p?: number;
  top_k?: number;
};

/** What the answer to a request must be read with. */
export interface AnswerKey {
  /** The tool that stands in for a JSON schema: its input is the answer's text. Absent = none. */
  readonly jsonTool?: string;
  /** Tools whose names had to be changed: name on the wire to the caller's. */
  readonly renamedTools: ReadonlyMap<string, string>;
}

/** A request ready to be sent once the kind has added its own. */
export interface MessagesRequest {
  readonly body: MessagesBody;
  readonly key: AnswerKey;
}
