import type { OpenAI } from 'openai';
import '@azure/openai/types';
import type { WireFlavour } from '../openai-wire/openai-wire.flavour.js';
import { OPENAI_EXTRA } from '../openai-wire/openai-wire.request.js';

/** Fields of Azure's own, which `@azure/openai/types` adds to the SDK's types. */
const AZURE_EXTRA = ['data_sources'] as const satisfies readonly (keyof OpenAI.ChatCompletionCreateParams)[];

/** How Azure speaks OpenAI's wire. It refuses bodies with fields it does not know. */
export const AZURE_FLAVOUR: WireFlavour = {
  title: 'Azure OpenAI',
  passedExtra: new Set<string>([...OPENAI_EXTRA, ...AZURE_EXTRA]),
  passedHeaders: ['content-type', 'openai-processing-ms', 'x-ms-region', 'apim-request-id'],
  vectors: 'base64',
};
