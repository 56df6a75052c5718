import type { CallHandler, ExecutionContext } from '@nestjs/common';
import { of } from 'rxjs';
import { caller, deployment, envelope, model, record } from '../../test/support/routing-builders.ts';
import { GatewayError } from '../contract/errors.js';
import { openContext } from '../contract/request-context.js';
import type { MetricsRecorder } from '../metrics/metrics.recorder.js';
import type { QuotaService } from '../quota/quota.service.js';
import { OnceSettlement, type AdmittedBy } from '../quota/settlement.js';
import { openAiChatDialect } from './dialects/openai-chat/openai-chat.dialect.js';
import { MeteringInterceptor } from './metering.interceptor.js';
import { LiveRequest } from './request/live-request.js';

const ENDS = { settle: () => undefined, cancel: () => undefined };

function setUp() {
  const attempts = [deployment('east')];
  const live = new LiveRequest('req_1', 'data', record(), () => undefined);
  live.caller = caller();
  live.call = {
    dialect: openAiChatDialect,
    body: {},
    envelope: envelope(),
    plan: { model: model(attempts), attempts },
    isStrict: false,
  };
  const request = {};
  openContext(request, live);
  const open = jest.fn<Promise<OnceSettlement>, unknown[]>();
  const metrics = { rateLimitDecision: jest.fn(), failOpen: jest.fn() };
  const interceptor = new MeteringInterceptor(
    { open } as unknown as QuotaService,
    metrics as unknown as MetricsRecorder,
  );
  const next: CallHandler & { handle: jest.Mock } = { handle: jest.fn(() => of('answer')) };
  const context = { switchToHttp: () => ({ getRequest: () => request }) } as ExecutionContext;
  return { live, open, metrics, next, intercept: () => interceptor.intercept(context, next) };
}

const settlement = (admittedBy: AdmittedBy) => new OnceSettlement({}, 5, admittedBy, ENDS);

describe('metering', () => {
  it('reserves what the call may cost, then lets it on', async () => {
    const { live, open, metrics, next, intercept } = setUp();
    const reserved = settlement('store');
    open.mockResolvedValue(reserved);
    await intercept();
    const { call } = live;
    expect(open).toHaveBeenCalledWith({
      requestId: 'req_1',
      call: call?.envelope,
      plan: call?.plan,
      caller: live.caller,
    });
    expect(call?.settlement).toBe(reserved);
    expect(next.handle).toHaveBeenCalledTimes(1);
    expect(metrics.rateLimitDecision.mock.calls).toEqual([['all', 'admitted']]);
    expect(metrics.failOpen).not.toHaveBeenCalled();
  });

  it.each(['shadow', 'nobody'] as const)('says that limits were weakened, admitted by %s', async (admittedBy) => {
    const { open, metrics, intercept } = setUp();
    open.mockResolvedValue(settlement(admittedBy));
    await intercept();
    expect(metrics.failOpen.mock.calls).toEqual([['limits']]);
    expect(metrics.rateLimitDecision.mock.calls).toEqual([['all', 'admitted']]);
  });

  it.each([
    ['rate_limit_exceeded', 'team:tokens', 'team'],
    ['rate_limit_exceeded', 'organisation:requests', 'organisation'],
    ['request_too_large_for_limit', 'caller:tokens', 'caller'],
    ['rate_limit_exceeded', 'key:tokens', 'caller'],
    ['rate_limit_exceeded', undefined, 'caller'],
  ] as const)('lets nothing on that a limit refuses: %s of %s counts for %s', async (code, param, scope) => {
    const { live, open, metrics, next, intercept } = setUp();
    const refusal = new GatewayError(code, param === undefined ? {} : { param });
    open.mockRejectedValue(refusal);
    await expect(intercept()).rejects.toBe(refusal);
    expect(metrics.rateLimitDecision.mock.calls).toEqual([[scope, 'refused']]);
    expect(next.handle).not.toHaveBeenCalled();
    expect(live.call).not.toHaveProperty('settlement');
  });

  it('counts no refusal where there was no decision', async () => {
    const { open, metrics, next, intercept } = setUp();
    open.mockRejectedValue(new GatewayError('quota_store_unavailable'));
    await expect(intercept()).rejects.toMatchObject({ code: 'quota_store_unavailable' });
    expect(metrics.rateLimitDecision).not.toHaveBeenCalled();
    expect(next.handle).not.toHaveBeenCalled();
  });

  it.each(['call', 'caller'] as const)('needs the %s, which is for others to find', async (missing) => {
    const { live, open, intercept } = setUp();
    delete live[missing];
    await expect(intercept()).rejects.toMatchObject({ code: 'internal_error' });
    expect(open).not.toHaveBeenCalled();
  });
});
