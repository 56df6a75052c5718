import { declared } from './capabilities.ts';
import { compatibleHarness } from './openai-harness.ts';
import { describeProviderContract } from './provider-contract.ts';

describeProviderContract(
  'openai-compatible, a plain server without key,',
  compatibleHarness({}, declared('openai-compatible')),
);

describeProviderContract(
  'openai-compatible, a server with reasoning, no mark and usage in its last chunk,',
  compatibleHarness(
    {
      apiKey: 'compatible-test-key',
      settings: { preset: 'mistral', headers: { 'x-team': 'search' } },
      habits: { usage: 'last-content', done: false, reasoningField: 'reasoning' },
    },
    declared('openai-compatible, mistral'),
  ),
);

describeProviderContract(
  'openai-compatible, a server with usage of its own and the fewest features,',
  compatibleHarness(
    {
      apiKey: 'compatible-test-key',
      settings: { preset: 'deepseek' },
      habits: { usage: 'x_groq' },
      hasEmbeddings: false,
    },
    declared('openai-compatible, deepseek'),
  ),
);
