import { GatewayError } from '../../contract/errors.js';

/** A model as the API addresses it. */
export interface VertexModel {
  /** Which wire its publisher speaks: generateContent, or the Messages API inside rawPredict. */
  readonly wire: 'generate-content' | 'messages';
  /** Path below the location, or from `projects/` on. */
  readonly path: string;
  /** The model's own name, which tells what it can do. */
  readonly name: string;
}

const PUBLISHED = /^publishers\/([a-z0-9-]+)\/models\/([^/]+)$/;
const DEPLOYED = /^(projects\/[^/]+\/locations\/[^/]+\/)?endpoints\/[^/]+$/;

/**
 * Reads a deployment's model: `publishers/google/models/x`, `publishers/anthropic/models/x`, a tuned model's
 * `endpoints/123`, or a plain name, whose publisher is known by it. Throws `not_supported` for other publishers.
 */
export function vertexModel(given: string): VertexModel {
  if (DEPLOYED.test(given)) return { wire: 'generate-content', path: given, name: given };
  const plain = given.startsWith('claude')
    ? `publishers/anthropic/models/${given}`
    : `publishers/google/models/${given}`;
  const path = given.includes('/') ? given : plain;
  const [, publisher, name] = PUBLISHED.exec(path) ?? [];
  if (name === undefined || !/^(google|anthropic)$/.test(publisher ?? '')) {
    throw new GatewayError('not_supported', { message: 'The publisher of this model is not supported.' });
  }
  return { wire: path.startsWith('publishers/anthropic/') ? 'messages' : 'generate-content', path, name };
}
