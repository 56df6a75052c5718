import type { JsonObject } from '../../contract/json.js';

/**
 * The request side of the Gemini API as it is spoken today. The SDK's own types end before thought signatures,
 * thinking, JSON Schema parameters and tool call ids, so the SDK is handed these where it only passes them on.
 */
export interface GeminiPart {
  text?: string;
  /** True = a summary of what the model thought. */
  thought?: boolean;
  /** Base64; proves to the model that the part is its own. */
  thoughtSignature?: string;
  inlineData?: GeminiBlob;
  fileData?: GeminiFile;
  functionCall?: { id?: string; name: string; args: JsonObject };
  functionResponse?: {
    id?: string;
    name: string;
    response: JsonObject;
    /** Media of the result; models of generation 3 and later. */
    parts?: readonly GeminiPart[];
  };
}

export interface GeminiBlob {
  readonly mimeType: string;
  /** Base64. */
  readonly data: string;
}

export interface GeminiFile {
  readonly mimeType?: string;
  readonly fileUri: string;
}

export interface GeminiContent {
  readonly role: 'user' | 'model';
  readonly parts: GeminiPart[];
}

export interface GeminiFunction {
  readonly name: string;
  readonly description?: string;
  /** OpenAPI subset. */
  readonly parameters?: JsonObject;
  /** JSON Schema, verbatim. */
  readonly parametersJsonSchema?: JsonObject;
}

export type GeminiCallingMode = 'AUTO' | 'NONE' | 'ANY' | 'VALIDATED';

export interface GeminiToolConfig {
  readonly functionCallingConfig: { readonly mode: GeminiCallingMode; readonly allowedFunctionNames?: string[] };
}

export type GeminiThinkingLevel = 'minimal' | 'low' | 'medium' | 'high';

/** How much the model thinks: a level from generation 3 on, a token budget in generation 2.5. */
export interface GeminiThinking {
  readonly thinkingLevel?: GeminiThinkingLevel;
  readonly thinkingBudget?: number;
  readonly includeThoughts?: boolean;
}

export interface GeminiGenerationConfig {
  candidateCount?: number;
  maxOutputTokens?: number;
  temperature?: number;
  topP?: number;
  topK?: number;
  seed?: number;
  presencePenalty?: number;
  frequencyPenalty?: number;
  stopSequences?: string[];
  responseLogprobs?: boolean;
  logprobs?: number;
  responseMimeType?: string;
  responseSchema?: JsonObject;
  responseJsonSchema?: JsonObject;
  thinkingConfig?: GeminiThinking;
  mediaResolution?: string;
}

/** Body of generateContent and streamGenerateContent. */
export interface GeminiRequest {
  contents: GeminiContent[];
  systemInstruction?: { readonly parts: GeminiPart[] };
  tools?: { readonly functionDeclarations: GeminiFunction[] }[];
  toolConfig?: GeminiToolConfig;
  generationConfig?: GeminiGenerationConfig;
  /** `flex` or `priority`; absent = standard. */
  serviceTier?: string;
}
