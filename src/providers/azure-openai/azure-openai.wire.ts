import type { OpenAI } from 'openai';
import '@azure/openai/types';
import type { JsonObject } from '../../contract/json.js';

/** The bodies we send; `@azure/openai/types` adds Azure's own fields to the SDK's types. */
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

type Message = OpenAI.ChatCompletionMessage & { reasoning_content?: string };
type Delta = OpenAI.ChatCompletionChunk.Choice.Delta & { reasoning_content?: string };
type Choice = Omit<OpenAI.ChatCompletion.Choice, 'message'> & { message: Message };
type ChunkChoice = Omit<OpenAI.ChatCompletionChunk.Choice, 'delta'> & { delta: Delta };

/** A whole answer as it may arrive. `reasoning_content` is what Azure's hosted reasoning models add. */
export type WireChat = Loose<Omit<OpenAI.ChatCompletion, 'choices'> & { choices: Choice[] }>;
export type WireChoice = Loose<Choice>;

/** An event of a stream as it may arrive, an in-stream error included. */
export type WireChunk = Loose<
  Omit<OpenAI.ChatCompletionChunk, 'choices'> & {
    choices: ChunkChoice[];
    prompt_filter_results: OpenAI.ChatCompletion['prompt_filter_results'];
  }
> & { readonly error?: unknown };
export type WireChunkChoice = Loose<ChunkChoice>;
export type WireDelta = Loose<Delta>;

/** An answer to an embeddings call as it may arrive: vectors as numbers or as base64 of 32-bit floats. */
export type WireEmbeddings = Loose<
  Omit<OpenAI.CreateEmbeddingResponse, 'data'> & { data: { index: number; embedding: unknown }[] }
>;

/** The error object inside an error body, in all the forms Azure and its gateways use. */
export interface WireError {
  readonly code?: string;
  readonly message?: string;
  readonly param?: string;
  readonly innererror?: JsonObject;
}
