import type { OpenAI } from 'openai';
import type { JsonObject, JsonValue } from '../../contract/json.js';

/** The bodies we send, in the official SDK's types. */
export type WireChatRequest = OpenAI.ChatCompletionCreateParams;
export type WireMessage = OpenAI.ChatCompletionMessageParam;
export type WireTool = OpenAI.ChatCompletionTool;
export type WireEmbeddingRequest = OpenAI.EmbeddingCreateParams;

/** What a value from the network may be: every field may be missing or something else. */
type Loose<T> = T extends readonly (infer Item)[]
  ? readonly Loose<Item>[] | null
  : T extends object
    ? { readonly [Key in keyof T]?: Loose<T[Key]> | null }
    : T | null;

/** What servers other than OpenAI's add to a message. */
interface Additions {
  reasoning_content?: string;
  reasoning?: string;
  annotations?: JsonValue[];
}

type Message = Omit<OpenAI.ChatCompletionMessage, 'annotations'> & Additions;
type Delta = OpenAI.ChatCompletionChunk.Choice.Delta & Additions;
type Choice = Omit<OpenAI.ChatCompletion.Choice, 'message'> & { message: Message };
type ChunkChoice = Omit<OpenAI.ChatCompletionChunk.Choice, 'delta'> & { delta: Delta };

/** A whole answer as it may arrive. */
export type WireChat = Loose<Omit<OpenAI.ChatCompletion, 'choices'>> & {
  readonly choices?: readonly (WireChoice | null)[] | null;
};
export type WireChoice = Loose<Choice> & { readonly error?: unknown };

/** An event of a stream as it may arrive, an in-stream error included. */
export type WireChunk = Loose<
  Omit<OpenAI.ChatCompletionChunk, 'choices'> & {
    choices: ChunkChoice[];
  }
> & { readonly error?: unknown };
export type WireChunkChoice = Loose<ChunkChoice>;
export type WireDelta = Loose<Delta>;

/** An answer to an embeddings call as it may arrive: vectors as numbers or as base64 of 32-bit floats. */
export type WireEmbeddings = Loose<
  Omit<OpenAI.CreateEmbeddingResponse, 'data'> & { data: { index: number; embedding: unknown }[] }
>;

/** The error object inside an error body, whatever form it came in. */
export interface WireError {
  readonly code?: string;
  readonly message?: string;
  readonly param?: string;
  readonly innererror?: JsonObject;
  /** What the model wrote that could not be read as a tool call. */
  readonly failedGeneration?: string;
  /** True when a moderation of the server refused the prompt. */
  readonly isModerated?: boolean;
}
