import type { AttemptRecord, RequestRecord } from '../../src/contract/record.ts';

/** A closed record of a chat call that one deployment answered; `changes` replaces fields. */
export function requestRecord(changes: Partial<RequestRecord> = {}): RequestRecord {
  return {
    requestId: '01990000-0000-7000-8000-000000000001',
    startedAtMs: 1_760_000_000_000,
    plane: 'data',
    method: 'POST',
    route: '/v1/chat/completions',
    operation: 'chat',
    dialect: 'openai-chat',
    address: '192.0.2.7',
    caller: { method: 'key', id: 'key-1', organisation: 'default', team: 'search', limits: {} },
    model: 'gpt',
    stream: false,
    status: 200,
    outcome: 'completed',
    attempts: [attemptRecord()],
    deployment: 'gpt/east/gpt-4o',
    provider: 'east',
    usage: {
      promptTokens: 100,
      cachedPromptTokens: 40,
      cacheWriteTokens: 8,
      completionTokens: 20,
      reasoningTokens: 5,
      source: 'final',
    },
    upstreamMs: 480,
    durationMs: 500,
    bytesIn: 1_200,
    bytesOut: 640,
    warnings: [],
    usageEstimated: false,
    ...changes,
  };
}

/** An attempt that succeeded; `changes` replaces fields. */
export function attemptRecord(changes: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    deployment: 'gpt/east/gpt-4o',
    provider: 'east',
    kind: 'azure-openai',
    path: 'native',
    durationMs: 480,
    ...changes,
  };
}
