import { GatewayError } from '../../src/contract/errors.js';
import type { EmbeddingsAbility } from '../../src/contract/provider.js';
import { callOf, failureOf } from './provider-calls.ts';
import type { ProviderUnderTest } from './provider-harness.ts';

/** What embeddings calls give; skipped for a kind without them, which must then not declare the ability. */
export function describeEmbeddings(subject: () => ProviderUnderTest): void {
  function ability(): { embeddings: EmbeddingsAbility; model: string } | undefined {
    const { provider, embeddingsModel } = subject();
    expect(provider.embeddings === undefined).toBe(embeddingsModel === undefined);
    if (provider.embeddings === undefined || embeddingsModel === undefined) return undefined;
    return { embeddings: provider.embeddings, model: embeddingsModel };
  }

  describe('embeddings', () => {
    it('give one vector an input, in order', async () => {
      const declared = ability();
      if (declared === undefined) return;
      const vectors = [
        [0.5, -0.25, 0.125],
        [1, 0, -1],
      ];
      subject().fake.defaultScript = { reply: { vectors, usage: { promptTokens: 5, completionTokens: 0 } } };
      const answer = await declared.embeddings.embed(callOf(declared.model, { input: ['one', 'zwei'] }));
      expect(answer.vectors.length).toBe(2);
      for (const vector of answer.vectors) expect(vector.every((value) => typeof value === 'number')).toBe(true);
      expect(answer.vectors[0]).toEqual(vectors[0]);
    });

    it('fail as chat does', async () => {
      const declared = ability();
      if (declared === undefined) return;
      subject().fake.defaultScript = { failure: { status: 429, retryAfter: '3' } };
      const error = await failureOf(declared.embeddings.embed(callOf(declared.model, { input: ['one'] })));
      expect(error).toBeInstanceOf(GatewayError);
      expect(error.code).toBe('provider_rate_limited');
    });

    it('send nothing when the signal was aborted before', async () => {
      const declared = ability();
      if (declared === undefined) return;
      const call = callOf(declared.model, { input: ['one'] }, { signal: AbortSignal.abort() });
      expect((await failureOf(declared.embeddings.embed(call))).code).toBe('client_closed');
      expect(subject().fake.records).toHaveLength(0);
    });
  });
}
