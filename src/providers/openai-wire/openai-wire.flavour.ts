import type { ByteSource } from '../../contract/byte-source.js';
import type { JsonObject } from '../../contract/json.js';
import type { LossWarning } from '../../contract/provider.js';
import type { SseSplitter } from '../../transport/sse-splitter.js';

/** Hears of what does not reach the model as asked. */
export type Warn = (warning: LossWarning) => void;

/** In what one kind's servers differ from one another; everything else of the wire is the same for all of them. */
export interface WireFlavour {
  /** Whose servers these are, as a warning names them. */
  readonly title: string;
  /** Fields the contract has no word for that are sent as they are; the others are reported as lost. Absent = all. */
  readonly passedExtra?: ReadonlySet<string>;
  /** Response headers that tell a caller something and us nothing away. */
  readonly passedHeaders: readonly string[];
  /** How vectors are asked for: base64 is half the bytes, but not every server knows it. Absent = no embeddings. */
  readonly vectors?: 'base64' | 'float';
  /** The field of a message that takes earlier reasoning back; absent = none does. */
  readonly reasoningField?: 'reasoning_content' | 'reasoning';
  /** Makes of a chat body what the server takes, on every path; absent = it takes the body as it is. */
  readonly adaptChat?: (body: JsonObject, warn: Warn) => JsonObject;
  /** Mends forwarded answers that leave out what the dialect requires; absent = they pass untouched. */
  readonly mend?: AnswerMender;
}

/** Completes the answers of servers that leave out what OpenAI's dialect requires. What is whole passes untouched. */
export interface AnswerMender {
  whole(body: Buffer): Buffer;
  stream(source: ByteSource, splitter: SseSplitter): ByteSource;
}
