import { anthropicKind } from './providers/anthropic/anthropic.module.js';
import { azureAiFoundryKind } from './providers/azure-ai-foundry/azure-ai-foundry.module.js';
import { azureOpenAIKind } from './providers/azure-openai/azure-openai.module.js';
import { bedrockKind } from './providers/bedrock/bedrock.module.js';
import { geminiKind } from './providers/gemini/gemini.module.js';
import { openAIKind } from './providers/openai/openai.module.js';
import { openAICompatibleKind } from './providers/openai-compatible/openai-compatible.module.js';
import type { ProviderKindRegistration } from './providers/provider-kind.registration.js';
import { sandboxKind } from './providers/sandbox/sandbox.module.js';
import { vertexKind } from './providers/vertex/vertex.module.js';

/** Every provider kind of this build: the one line a new one adds. */
export const KINDS: readonly ProviderKindRegistration[] = [
  anthropicKind,
  azureAiFoundryKind,
  azureOpenAIKind,
  bedrockKind,
  geminiKind,
  openAIKind,
  openAICompatibleKind,
  sandboxKind,
  vertexKind,
];

/** What runs when there is no configuration file: the built-in provider, nothing that leaves the machine. */
export const QUICK_START_DOCUMENT = {
  providers: { sandbox: { kind: 'sandbox' } },
  models: {
    sandbox: { deployments: [{ provider: 'sandbox', model: 'sandbox' }] },
    'sandbox-embeddings': {
      operation: 'embeddings',
      deployments: [{ provider: 'sandbox', model: 'sandbox-embeddings' }],
    },
  },
} as const;
