import type {
  ContentBlock as SdkContentBlock,
  ConverseCommandInput,
  Tool as SdkTool,
  ToolResultContentBlock as SdkToolResultContentBlock,
} from '@aws-sdk/client-bedrock-runtime';
import type { JsonValue } from '../../contract/json.js';

/** The SDK's type of any JSON. */
type SdkDocument = NonNullable<ConverseCommandInput['additionalModelRequestFields']>;

/** The JSON an SDK shape becomes on the wire: bytes are base64 text. */
type Wire<Shape> = [SdkDocument] extends [Shape] ? JsonValue : WirePart<Shape>;

type WirePart<Shape> = Shape extends Uint8Array
  ? string
  : Shape extends readonly (infer Item)[]
    ? Wire<Item>[]
    : Shape extends object
      ? { [Key in keyof Shape]: Wire<Shape[Key]> }
      : Shape;

/** Body of Converse and ConverseStream; the model id stands in the path. */
export type ConverseBody = Wire<Omit<ConverseCommandInput, 'modelId'>>;
export type ContentBlock = Wire<SdkContentBlock>;
export type ToolResultContentBlock = Wire<SdkToolResultContentBlock>;
export type WireTool = Wire<SdkTool>;
export type WireMessage = NonNullable<ConverseBody['messages']>[number];
export type SystemBlock = NonNullable<ConverseBody['system']>[number];
export type ToolConfig = NonNullable<ConverseBody['toolConfig']>;
export type InferenceConfig = NonNullable<ConverseBody['inferenceConfig']>;

/** What the answer to a request must be read with. */
export interface AnswerKey {
  /** The tool that stands in for a JSON schema: its input is the answer's text. Absent = none. */
  readonly jsonTool?: string;
  /** Tools whose names had to be changed: name on the wire to the caller's. */
  readonly renamedTools: ReadonlyMap<string, string>;
  /** Who is named as issuer of the answer's reasoning state. */
  readonly issuer: string;
}

/** A request ready to be sent. */
export interface ConverseRequest {
  readonly body: ConverseBody;
  readonly answerKey: AnswerKey;
}

/** The kind's name. */
export const KIND = 'bedrock';
