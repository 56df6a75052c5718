import type { CallEnvelope } from '../../src/contract/call.js';
import type { Caller } from '../../src/contract/caller.js';
import type { Deployment, Model } from '../../src/contract/plan.js';
import type { Provider } from '../../src/contract/provider.js';
import type { RequestRecord } from '../../src/contract/record.js';

/** A provider that can chat in name only: its abilities refuse to be called. */
export function provider(name: string, overrides: Partial<Provider> = {}): Provider {
  const refuse = () => Promise.reject(new Error('not meant to be called'));
  return {
    name,
    kind: 'fake',
    onDisconnect: 'abort',
    chat: { complete: refuse, stream: refuse },
    close: () => Promise.resolve(),
    ...overrides,
  };
}

/** A deployment of `model` at a provider of the name. */
export function deployment(name: string, overrides: Partial<Deployment> = {}): Deployment {
  return {
    id: `model/${name}/upstream`,
    provider: provider(name),
    upstreamModel: 'upstream',
    weight: 1,
    priority: 0,
    labels: [],
    ...overrides,
  };
}

export function model(deployments: readonly Deployment[], overrides: Partial<Model> = {}): Model {
  return {
    name: 'model',
    operation: 'chat',
    strict: false,
    deployments,
    defaultOutputTokens: 1_024,
    timeouts: { connectMs: 2_000, firstContentMs: 60_000, idleMs: 60_000, totalMs: 600_000 },
    maxAttempts: 3,
    ...overrides,
  };
}

export function envelope(overrides: Partial<CallEnvelope> = {}): CallEnvelope {
  return {
    operation: 'chat',
    dialect: 'openai-chat',
    model: 'model',
    stream: false,
    bodyBytes: 100,
    choices: 1,
    ...overrides,
  };
}

export function caller(overrides: Partial<Caller> = {}): Caller {
  return { method: 'key', id: 'key-1', organisation: 'default', limits: {}, ...overrides };
}

export function record(overrides: Partial<RequestRecord> = {}): RequestRecord {
  return {
    requestId: 'request-1',
    startedAtMs: 0,
    method: 'POST',
    dialect: 'openai-chat',
    address: '192.0.2.1',
    stream: false,
    status: 0,
    outcome: 'completed',
    attempts: [],
    usage: {
      promptTokens: 0,
      cachedPromptTokens: 0,
      cacheWriteTokens: 0,
      completionTokens: 0,
      reasoningTokens: 0,
      source: 'none',
    },
    upstreamMs: 0,
    durationMs: 0,
    bytesIn: 0,
    bytesOut: 0,
    warnings: [],
    usageEstimated: false,
    ...overrides,
  };
}
