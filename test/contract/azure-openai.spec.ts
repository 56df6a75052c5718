import { azureOpenAIHarness } from './azure-openai-harness.ts';
import { describeProviderContract } from './provider-contract.ts';

describeProviderContract('azure-openai, classic API,', azureOpenAIHarness('classic'));
describeProviderContract('azure-openai, v1 API,', azureOpenAIHarness('v1'));
