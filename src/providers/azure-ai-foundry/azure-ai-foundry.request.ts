import type { WireFlavour } from '../openai-wire/openai-wire.flavour.js';

/** In what these servers differ from others of OpenAI's wire. */
export const AZURE_AI_FOUNDRY_FLAVOUR: WireFlavour = {
  title: 'Azure AI Foundry',
  passedHeaders: ['apim-request-id', 'content-type', 'x-ms-region'],
  vectors: 'float',
};
