import { record } from '../../../test/support/routing-builders.ts';
import { GatewayError } from '../../contract/errors.js';
import { openContext } from '../../contract/request-context.js';
import { LiveRequest, liveRequestOf } from './live-request.js';

const CUT = new GatewayError('server_shutting_down');

function open() {
  const closed = jest.fn();
  const abandoned = jest.fn();
  const live = new LiveRequest('req_1', 'data', record(), closed);
  live.onAbandoned = abandoned;
  return { live, closed, abandoned };
}

describe('a live request', () => {
  it('closes once, when its response is over', () => {
    const { live, closed } = open();
    live.endResponse();
    live.endResponse();
    expect(closed).toHaveBeenCalledTimes(1);
    expect(closed).toHaveBeenCalledWith(live);
  });

  it('closes only when nobody holds it any more', () => {
    const { live, closed } = open();
    live.hold();
    live.hold();
    live.endResponse();
    live.release();
    expect(closed).not.toHaveBeenCalled();
    live.release();
    expect(closed).toHaveBeenCalledTimes(1);
  });

  it('stays open while its response is not over, held or not', () => {
    const { live, closed } = open();
    live.hold();
    live.release();
    expect(closed).not.toHaveBeenCalled();
    live.endResponse();
    live.hold();
    live.release();
    expect(closed).toHaveBeenCalledTimes(1);
  });

  it('counts its time from its opening', () => {
    const now = jest.spyOn(performance, 'now').mockReturnValue(1_000);
    const { live } = open();
    now.mockReturnValue(1_250);
    expect(live.elapsedMs).toBe(250);
    now.mockRestore();
  });
});

describe('a request whose client leaves', () => {
  it('is abandoned once', () => {
    const { live, abandoned } = open();
    expect([live.isAbandoned, live.clientGone]).toEqual([false, false]);
    live.abandon();
    live.abandon();
    expect([live.isAbandoned, live.clientGone]).toEqual([true, true]);
    expect(abandoned).toHaveBeenCalledTimes(1);
  });

  it('may leave before anybody answers', () => {
    const { live } = open();
    delete live.onAbandoned;
    expect(() => live.abandon()).not.toThrow();
    expect(live.isAbandoned).toBe(true);
  });
});

describe('a request that is cut', () => {
  it('is abandoned with the reason, though its client is there', () => {
    const { live, abandoned } = open();
    live.cut(CUT);
    expect(live.cutBy).toBe(CUT);
    expect([live.isAbandoned, live.clientGone]).toEqual([true, false]);
    expect(abandoned).toHaveBeenCalledTimes(1);
  });

  it('keeps its first reason', () => {
    const { live, abandoned } = open();
    live.cut(CUT);
    live.cut(new GatewayError('internal_error'));
    expect(live.cutBy).toBe(CUT);
    expect(abandoned).toHaveBeenCalledTimes(1);
  });

  it('is not given up again when its client leaves after that', () => {
    const { live, abandoned } = open();
    live.cut(CUT);
    live.abandon();
    expect(abandoned).toHaveBeenCalledTimes(1);
    expect(live.clientGone).toBe(true);
  });

  it('gives up what is read on only because its client has gone', () => {
    const { live, abandoned } = open();
    live.abandon();
    live.cut(CUT);
    expect(live.cutBy).toBe(CUT);
    expect(live.clientGone).toBe(true);
    expect(abandoned).toHaveBeenCalledTimes(2);
  });
});

describe('liveRequestOf', () => {
  it('finds the request the lifecycle opened, and nothing else', () => {
    const { live } = open();
    const request = {};
    openContext(request, live);
    expect(liveRequestOf(request)).toBe(live);
    const other = {};
    openContext(other, { requestId: 'x', plane: 'data', record: record() });
    expect(() => liveRequestOf(other)).toThrow('lifecycle');
    expect(() => liveRequestOf({})).toThrow('no context');
  });
});
