import { contextOf } from '../../test/support/provider-context.ts';
import { FakePartStream, RecordingWriter } from '../../test/support/relay-fakes.ts';
import { deployment, envelope, model, record } from '../../test/support/routing-builders.ts';
import type { Operation } from '../contract/dialect.js';
import { GatewayError } from '../contract/errors.js';
import { OnceSettlement } from '../quota/settlement.js';
import { DIALECTS } from './dialects/dialects.js';
import { Dispatch } from './dispatch.js';
import { DrainSlots } from './relay/drain-slots.js';
import type { ResponseWriter } from './relay/response-writer.js';
import { TranslatedRelay } from './relay/translated-relay.js';
import type { GatewayCall } from './request/gateway-call.js';
import { LiveRequest } from './request/live-request.js';

const SETTINGS = { holdMs: 1, heartbeatMs: 1, stallMs: 1, maxBufferedBytes: 65_536, maxEventBytes: 1_024 };

function setUp({ isGone = false, operation = 'chat' }: { isGone?: boolean; operation?: Operation } = {}) {
  const attempts = [deployment('east')];
  const settlement = new OnceSettlement({ 'x-ratelimit-limit-requests': '5' }, 7, 'store', {
    settle: () => undefined,
    cancel: () => undefined,
  });
  const live = new LiveRequest('req_1', 'data', record(), () => undefined);
  const call: GatewayCall = {
    dialect: operation === 'chat' ? DIALECTS['openai-chat'] : DIALECTS['openai-embeddings'],
    body: {},
    envelope: envelope({ operation }),
    plan: { model: model(attempts), attempts },
    isStrict: false,
    settlement,
  };
  if (isGone) live.abandon();
  const writer = new RecordingWriter();
  const drains = new DrainSlots();
  const parts = { live, call, settlement, writer: writer as unknown as ResponseWriter, settings: SETTINGS, drains };
  return { live, dispatch: new Dispatch(parts) };
}

describe('a call while it is being answered', () => {
  it('is attempted within what is left of its time', () => {
    const now = jest.spyOn(performance, 'now').mockReturnValue(1_000);
    const { dispatch } = setUp();
    now.mockReturnValue(31_000);
    expect(dispatch.runRequest()).toMatchObject({ requestId: 'req_1', deadlineMs: 600_000 - 30_000 });
    now.mockRestore();
  });

  it('is let go of when the answer is on its way', () => {
    const { dispatch } = setUp();
    expect(dispatch.request.body).toEqual({});
    dispatch.forgetCall();
    expect(() => dispatch.request).toThrow(expect.objectContaining({ code: 'internal_error' }));
  });

  it('is not attempted for a client that had left before', () => {
    const { dispatch } = setUp({ isGone: true });
    const { signal } = dispatch.runRequest();
    expect(signal.reason).toMatchObject({ code: 'client_closed' });
    expect(() => dispatch.enter(deployment('east'), contextOf())).toThrow('closed the connection');
  });

  it('notices when the first byte may have left, and lets others notice', () => {
    const { dispatch } = setUp();
    const onDispatch = jest.fn();
    const { onDispatch: dispatched } = dispatch.enter(deployment('east'), contextOf({ onDispatch }));
    expect(dispatch.wasDispatched).toBe(false);
    dispatched();
    expect(dispatch.wasDispatched).toBe(true);
    expect(onDispatch).toHaveBeenCalledTimes(1);
  });

  it('gives up a relay that comes too late', async () => {
    const { live, dispatch } = setUp();
    dispatch.enter(deployment('east'), contextOf());
    live.abandon();
    const stream = new FakePartStream();
    const relay = new TranslatedRelay({
      stream,
      writer: new RecordingWriter(),
      presenter: { present: () => '' },
      onCommit: () => undefined,
      streamError: () => '',
    });
    dispatch.relays(relay);
    await expect(relay.committed).rejects.toMatchObject({ code: 'client_closed' });
    expect(stream.calls).toEqual(['destroy']);
  });

  it('streams in a dialect that streams only', () => {
    const { dispatch } = setUp({ operation: 'embeddings' });
    expect(() => dispatch.chatDialect()).toThrow(expect.objectContaining({ code: 'internal_error' }));
    expect(dispatch.generatedBytes('{"data":[1,2,3]}')).toBe(0);
  });
});

describe('the headers of an answer', () => {
  it('are the limits, and what was lost under the caller’s own names', () => {
    const { dispatch } = setUp();
    expect(dispatch.headers()).toEqual({ 'x-ratelimit-limit-requests': '5' });
    dispatch.warn({ field: 'topP', kind: 'dropped', detail: '' });
    dispatch.warn({ field: 'messages[0].name', kind: 'approximated', detail: '' });
    expect(dispatch.headers()['x-tollgate-warnings']).toBe('top_p=dropped, messages[0].name=approximated');
  });

  it('bear whatever a caller names a field', () => {
    const { dispatch } = setUp();
    dispatch.warn({ field: 'a\r\nb: ключ', kind: 'dropped', detail: '' });
    expect(dispatch.headers()['x-tollgate-warnings']).toMatch(/^[\x20-\x7e]+=dropped$/);
  });

  it('are not longer than headers may be', () => {
    const { dispatch } = setUp();
    for (let index = 0; index < 1_000; index += 1) {
      dispatch.warn({ field: `messages[${index}].name`, kind: 'dropped', detail: '' });
    }
    expect(dispatch.headers()['x-tollgate-warnings']).toHaveLength(2_048);
  });
});

describe('an error', () => {
  it('names its field as the caller does, and keeps the rest', () => {
    const { dispatch } = setUp();
    const error = new GatewayError('provider_rejected', { param: 'choices', retryAfterMs: 5, providerCode: 'x' });
    expect(dispatch.inCallersWords(error)).toMatchObject({ param: 'n', retryAfterMs: 5, providerCode: 'x' });
    const plain = new GatewayError('provider_error');
    expect(dispatch.inCallersWords(plain)).toBe(plain);
  });
});
