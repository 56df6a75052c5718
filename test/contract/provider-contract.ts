import { describeChat } from './contract-chat.ts';
import { describeEmbeddings } from './contract-embeddings.ts';
import { describeErrors } from './contract-errors.ts';
import { describeStream } from './contract-stream.ts';
import type { ProviderHarness, ProviderUnderTest } from './provider-harness.ts';

/** The suite every provider kind passes; call it from `test/contract/<kind>.spec.ts`. */
export function describeProviderContract(name: string, harness: ProviderHarness): void {
  describe(`${name} keeps the provider contract`, () => {
    let current: ProviderUnderTest;
    const subject = (): ProviderUnderTest => current;

    beforeEach(async () => {
      current = await harness.start();
    });
    afterEach(() => current.stop());

    it('declares an ability to chat, and what a vanished client means', () => {
      expect(current.provider.chat).toBeDefined();
      expect(['abort', 'drain']).toContain(current.provider.onDisconnect);
    });

    const { capabilities } = harness;
    if (capabilities !== undefined) {
      it('has the abilities it declares, and no others', () => {
        const { kind, embeddings, tokenCount, native, onDisconnect } = current.provider;
        expect({
          kind,
          embeddings: embeddings !== undefined,
          tokenCount: tokenCount !== undefined,
          dialects: [...(native?.dialects ?? [])].sort(),
          onDisconnect,
        }).toEqual({
          kind: capabilities.kind,
          embeddings: capabilities.embeddings,
          tokenCount: capabilities.tokenCount,
          dialects: [...capabilities.dialects].sort(),
          onDisconnect: capabilities.onDisconnect,
        });
      });
    }

    describeChat(harness, subject);
    describeStream(harness, subject);
    describeErrors(harness, subject);
    describeEmbeddings(subject);
  });
}
