import type { WireFlavour } from '../openai-wire/openai-wire.flavour.js';
import { differencesOf, type OpenAICompatibleSettings } from './openai-compatible.config.js';
import { MENDER } from './openai-compatible.stream.js';
import { adaptChat } from './openai-compatible.request.js';
import { PLAIN } from './openai-compatible.presets.js';

/** How one server speaks the wire, as its settings declare. Fields it does not know are its own to refuse. */
export function flavourOf(settings: OpenAICompatibleSettings): WireFlavour {
  const differences = differencesOf(settings);
  const { reasoningField, embeddings, maxTokensField, systemRole, seedField, streamUsage, unsupported } = differences;
  const isPlain =
    maxTokensField === undefined &&
    systemRole === undefined &&
    seedField === PLAIN.seedField &&
    streamUsage &&
    unsupported.length === 0;
  return {
    title: 'The server',
    passedHeaders: ['content-type', 'openai-processing-ms', 'x-request-id'],
    ...(embeddings === 'none' ? {} : { vectors: embeddings }),
    ...(reasoningField === 'none' ? {} : { reasoningField }),
    ...(isPlain ? {} : { adaptChat: (body, warn) => adaptChat(body, differences, warn) }),
    ...(settings.mendAnswers ? { mend: MENDER } : {}),
  };
}
