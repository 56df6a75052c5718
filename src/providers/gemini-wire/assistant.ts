import type { AssistantPart, ProviderState, ToolCallPart } from '../../contract/chat-request.js';
import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject } from '../../contract/json.js';
import { callId, type PartTarget } from './target.js';
import type { GeminiPart } from './wire.js';

/** Accepted by generation 3 in place of a signature, for calls the model did not make itself. */
const UNSIGNED_CALL = 'skip_thought_signature_validator';

/** What an assistant said, thought and called, as the parts of one turn. */
export function assistantParts(content: readonly AssistantPart[], target: PartTarget): GeminiPart[] {
  const parts: GeminiPart[] = [];
  let loose: string | undefined;
  content.forEach((part, index) => {
    const path = `${target.path}.content[${index}]`;
    if (part.type === 'text') {
      if (part.text !== '') parts.push({ text: part.text });
    } else if (part.type === 'refusal') {
      target.warn({ field: path, kind: 'dropped', detail: 'a refusal has no place in a turn' });
    } else if (part.type === 'tool-call') {
      parts.push(functionCall(part, { ...target, path }));
    } else {
      const signature = signatureOf(part.state, { ...target, path });
      if (part.text === '') loose = signature ?? loose;
      else if (part.state === undefined || part.state.issuer === target.service.issuer) {
        parts.push({ text: part.text, thought: true, ...signed(signature) });
      }
    }
  });
  if (loose !== undefined) signText(parts, loose);
  if (target.model.generation >= 3 && !target.model.isGemma) signFirstCall(parts);
  return parts;
}

/** A signature that came with text, or after it: it belongs to the last text of the turn. */
function signText(parts: GeminiPart[], signature: string): void {
  const text = parts.findLast((part) => part.text !== undefined && part.thought !== true);
  if (text === undefined) parts.push({ text: '', thoughtSignature: signature });
  else text.thoughtSignature = signature;
}

/** Generation 3 refuses a round of calls whose first call is unsigned. */
function signFirstCall(parts: readonly GeminiPart[]): void {
  const first = parts.find((part) => part.functionCall !== undefined);
  if (first !== undefined) first.thoughtSignature ??= UNSIGNED_CALL;
}

function signed(signature: string | undefined): Pick<GeminiPart, 'thoughtSignature'> {
  return signature === undefined ? {} : { thoughtSignature: signature };
}

function signatureOf(state: ProviderState | undefined, target: PartTarget): string | undefined {
  if (state === undefined) return undefined;
  if (state.issuer !== target.service.issuer) {
    target.warn({ field: target.path, kind: 'dropped', detail: 'reasoning state of another provider' });
    return undefined;
  }
  if (/^[A-Za-z0-9+/_-]+={0,2}$/.test(state.value)) return state.value;
  throw new GatewayError('invalid_value', {
    param: target.path,
    message: 'The thought signature is not valid base64; send it back as it came.',
  });
}

function functionCall(part: ToolCallPart, target: PartTarget): GeminiPart {
  const call = { ...callId(part.id, target), name: part.name, args: callArguments(part, target.path) };
  return { functionCall: call, ...signed(signatureOf(part.state, target)) };
}

function callArguments(part: ToolCallPart, path: string): JsonObject {
  if (part.arguments.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(part.arguments);
    if (isJsonObject(value)) return value;
  } catch {
    // Reported below, like JSON that is no object.
  }
  throw new GatewayError('invalid_value', { param: path, message: 'Function arguments must be a valid JSON object.' });
}
