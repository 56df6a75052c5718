import { openAIHarness } from './openai-harness.ts';
import { describeProviderContract } from './provider-contract.ts';

describeProviderContract('openai', openAIHarness());
