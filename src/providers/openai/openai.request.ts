import type { WireFlavour } from '../openai-wire/openai-wire.flavour.js';
import { OPENAI_EXTRA } from '../openai-wire/openai-wire.request.js';

/** How OpenAI itself speaks its wire. It refuses bodies with fields it does not know. */
export const OPENAI_FLAVOUR: WireFlavour = {
  title: 'OpenAI',
  passedExtra: new Set<string>(OPENAI_EXTRA),
  passedHeaders: ['content-type', 'openai-processing-ms', 'openai-version', 'x-request-id'],
  vectors: 'base64',
};
