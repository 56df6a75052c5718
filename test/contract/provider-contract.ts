import type { ProviderHarness, ProviderUnderTest } from './provider-harness.ts';

/** The suite every provider kind passes; call it from `test/contract/<kind>.spec.ts`. */
export function describeProviderContract(name: string, harness: ProviderHarness): void {
  describe(`${name} keeps the provider contract`, () => {
    let subject: ProviderUnderTest;
    beforeEach(async () => {
      subject = await harness.start();
    });
    afterEach(() => subject.stop());

    it('declares an ability to chat', () => {
      expect(subject.provider.chat).toBeDefined();
    });
  });
}
