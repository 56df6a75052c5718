import { GatewayError, type ErrorCode } from '../../src/contract/errors.js';
import type { Failure } from '../support/fake-upstream.ts';
import { ask, callOf, chatOf, drain, errorIn, failureOf, type CallOptions } from './provider-calls.ts';
import type { ProviderHarness, ProviderUnderTest } from './provider-harness.ts';

/** What a provider's status means; `status` is what the caller sees. */
const STATUSES: readonly (readonly [number, ErrorCode, number])[] = [
  [400, 'provider_rejected', 400],
  [401, 'provider_authentication', 502],
  [403, 'provider_authentication', 502],
  [404, 'provider_not_found', 502],
  [408, 'provider_timeout', 504],
  [429, 'provider_rate_limited', 429],
  [500, 'provider_error', 502],
  [503, 'provider_overloaded', 503],
  [504, 'provider_timeout', 504],
];

const SECRET = 'the-operator-must-fix-this';

/** What calls reject with, whole and streamed. */
export function describeErrors(harness: ProviderHarness, subject: () => ProviderUnderTest): void {
  describe.each(['complete', 'stream'] as const)('errors of %s', (method) => {
    /** A stream may reject, or be accepted and then say in one part that it was no stream. */
    async function failing(options: CallOptions = {}): Promise<GatewayError> {
      const call = callOf(subject().chatModel, ask(), options);
      if (method === 'complete') return failureOf(chatOf(subject()).complete(call));
      const stream = await chatOf(subject())
        .stream(call)
        .catch((error: unknown) => failureOf(Promise.reject(error)));
      return stream instanceof GatewayError ? stream : errorIn(await drain(stream));
    }

    function failingWith(failure: Failure): Promise<GatewayError> {
      subject().fake.enqueue({ failure });
      return failing();
    }

    it.each(STATUSES)('%d is %s', async (status, code, shown) => {
      const error = await failingWith({ status, message: `Status ${status}: ${SECRET}` });
      expect(error).toMatchObject({ code, status: shown });
      for (const secret of harness.secrets) expect(error.message).not.toContain(secret);
      // Only where the request was at fault does the caller see the provider's words.
      if (shown === 400) expect(error.message).toContain(SECRET);
      else expect(error.message).not.toContain(SECRET);
    });

    it('never shows a credential or a host, even where it shows the words', async () => {
      const { message } = await failingWith({ status: 400, message: `Bad: ${harness.secrets.join(' and ')}.` });
      for (const secret of harness.secrets) expect(message).not.toContain(secret);
    });

    it('honours Retry-After in seconds, as a date and in milliseconds', async () => {
      const limited = { status: 429, message: 'Slow down.' };
      expect((await failingWith({ ...limited, retryAfter: '7' })).retryAfterMs).toBe(7_000);
      expect((await failingWith({ ...limited, headers: { 'retry-after-ms': '1500' } })).retryAfterMs).toBe(1_500);
      const date = new Date(Date.now() + 30_000).toUTCString();
      const waitMs = (await failingWith({ ...limited, retryAfter: date })).retryAfterMs ?? 0;
      expect(waitMs).toBeGreaterThan(25_000);
      expect(waitMs).toBeLessThanOrEqual(30_000);
      expect((await failingWith({ ...limited, retryAfter: 'soon' })).retryAfterMs).toBeUndefined();
    });

    it('knows a request beyond the context window', async () => {
      expect(await failingWith(harness.contextLength)).toMatchObject({ code: 'context_length_exceeded', status: 400 });
    });

    const { contentFilter } = harness;
    if (contentFilter !== undefined) {
      it('knows a prompt the content filter refused', async () => {
        expect(await failingWith(contentFilter)).toMatchObject({ code: 'content_filter', status: 400 });
      });
    }

    it('takes an error body that is not the API’s for what its status says', async () => {
      expect((await failingWith({ status: 502, body: '<html>Bad gateway</html>' })).code).toBe('provider_error');
      expect((await failingWith({ status: 429, body: '' })).code).toBe('provider_rate_limited');
    });

    it('is provider_bad_response when a success cannot be understood', async () => {
      const headers = { 'content-type': 'text/html' };
      subject().fake.enqueue({ wire: { status: 200, headers, pieces: [Buffer.from('<html>Hello</html>')] } });
      expect((await failing()).code).toBe('provider_bad_response');
    });

    it('is provider_unreachable when the connection breaks before an answer', async () => {
      subject().fake.enqueue({ delivery: { resetAfterBytes: -1 } });
      expect((await failing()).code).toBe('provider_unreachable');
    });

    it('is provider_timeout when the provider never answers, and lets go of it', async () => {
      subject().fake.enqueue({ delivery: { silent: true } });
      expect((await failing({ timeouts: { totalMs: 200 } })).code).toBe('provider_timeout');
      await subject().fake.records[0]?.closed;
    });

    it('is client_closed when the signal was aborted before, and sends nothing', async () => {
      const call = callOf(subject().chatModel, ask(), { signal: AbortSignal.abort() });
      expect((await failureOf(chatOf(subject())[method](call))).code).toBe('client_closed');
      expect(call.dispatched).toBe(0);
      expect(subject().fake.records).toHaveLength(0);
    });

    it('is client_closed when the signal is aborted while waiting, and closes the upstream within 100 ms', async () => {
      subject().fake.enqueue({ delivery: { silent: true } });
      const abort = new AbortController();
      const failed = failing({ signal: abort.signal });
      const record = await subject().fake.nextRequest();
      const startMs = performance.now();
      abort.abort();
      expect((await failed).code).toBe('client_closed');
      const { closedAtMs } = await record.closed;
      expect((closedAtMs ?? Infinity) - startMs).toBeLessThan(100);
    });

    it('makes exactly one upstream call, whatever it fails with', async () => {
      await failingWith({ status: 500 });
      await failingWith({ status: 429 });
      expect(subject().fake.records).toHaveLength(2);
    });
  });
}
