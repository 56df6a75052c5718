import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';
import type { WireError } from './openai-wire.types.js';

/**
 * What an error body says, in all the forms servers of this wire use: OpenAI's envelope, its object alone (Mistral,
 * older vLLM), a text under `error` with the code beside it (xAI, Ollama), a list of one (Google), and the `detail` of
 * a failed validation (FastAPI, also inside Mistral's message). Undefined where it says nothing.
 */
export function readWireError(body: unknown): WireError | undefined {
  const value: unknown = Array.isArray(body) ? body[0] : body;
  if (typeof value === 'string') return { message: value };
  if (!isJsonObject(value)) return undefined;
  const { error } = value;
  if (isJsonObject(error)) return fromObject(error);
  if (typeof error === 'string') return fromObject({ ...value, message: error });
  return fromObject(value);
}

function fromObject(error: JsonObject): WireError {
  const { code, param, innererror, metadata, failed_generation: generation } = error;
  const message = messageOf(error);
  return {
    ...(typeof code === 'string' || typeof code === 'number' ? { code: String(code) } : {}),
    ...(message === undefined ? {} : { message }),
    ...(typeof param === 'string' && param !== '' ? { param } : {}),
    ...(isJsonObject(innererror) ? { innererror } : {}),
    ...(typeof generation === 'string' ? { failedGeneration: generation } : {}),
    // OpenRouter answers 403 to a flagged prompt, which is not our credential's fault.
    ...(isJsonObject(metadata) && Array.isArray(metadata['reasons']) ? { isModerated: true } : {}),
  };
}

function messageOf({ message, detail }: JsonObject): string | undefined {
  const told = message ?? detail;
  if (typeof told === 'string') return told;
  const list: JsonValue | undefined = isJsonObject(told) ? told['detail'] : told;
  if (typeof list === 'string') return list;
  if (!Array.isArray(list)) return undefined;
  const lines = list.flatMap((entry) => (isJsonObject(entry) ? [validationLine(entry)] : []));
  return lines.length === 0 ? undefined : lines.join('; ');
}

/** `body.seed: Extra inputs are not permitted`. The input itself is left out: it may be a prompt. */
function validationLine({ loc, msg }: JsonObject): string {
  const place = Array.isArray(loc) ? `${loc.filter((step) => typeof step !== 'object').join('.')}: ` : '';
  return place + (typeof msg === 'string' ? msg : 'not valid');
}
