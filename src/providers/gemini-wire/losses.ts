import type { ChatRequest, Message } from '../../contract/chat-request.js';
import type { LossWarning } from '../../contract/provider.js';

type Warn = (warning: LossWarning) => void;

/** Reports what no request of this wire can hold, one warning a field. */
export function reportInexpressible(request: ChatRequest, warn: Warn): void {
  if (request.logitBias !== undefined && Object.keys(request.logitBias).length > 0) {
    warn({ field: 'logitBias', kind: 'dropped', detail: 'the provider cannot bias tokens' });
  }
  if (request.endUser !== undefined) {
    warn({ field: 'endUser', kind: 'dropped', detail: 'the provider takes no end user id' });
  }
  for (const key of Object.keys(request.extra ?? {})) {
    if (key === 'top_k' && topK(request) !== undefined) continue;
    warn({ field: key, kind: 'dropped', detail: 'the provider has no such field' });
  }
  request.messages.forEach((message, index) => reportMessage(message, `messages[${index}]`, warn));
  request.tools?.forEach(({ cache }, index) => reportCache(cache, `tools[${index}]`, warn));
}

/** The tokens to choose among: not OpenAI's, but common among callers of this provider. */
export function topK(request: ChatRequest): number | undefined {
  const value = request.extra?.['top_k'];
  return typeof value === 'number' ? value : undefined;
}

function reportMessage(message: Message, path: string, warn: Warn): void {
  if ('name' in message && message.name !== undefined) {
    warn({ field: `${path}.name`, kind: 'dropped', detail: 'turns have no author names' });
  }
  if (message.role === 'tool') reportCache(message.cache, path, warn);
  message.content.forEach((part, index) => {
    const at = `${path}.content[${index}]`;
    if ('cache' in part) reportCache(part.cache, at, warn);
    if (part.type !== 'file') return;
    if (part.filename !== undefined) {
      warn({ field: `${at}.filename`, kind: 'dropped', detail: 'files have no names' });
    }
    if (part.citations === true) {
      warn({ field: `${at}.citations`, kind: 'dropped', detail: 'the provider cites no files it is sent' });
    }
  });
}

/** Models cache repeated prompts of their own accord, but nobody can tell them where. */
function reportCache(cache: unknown, path: string, warn: Warn): void {
  if (cache === undefined) return;
  warn({ field: `${path}.cache`, kind: 'dropped', detail: 'the provider caches prompts by itself' });
}
