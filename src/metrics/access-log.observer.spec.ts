import { attemptRecord, requestRecord } from '../../test/support/request-record.js';
import { createLogger } from '../config/logging.js';
import type { RequestRecord } from '../contract/record.js';
import { NO_USAGE } from '../contract/usage.js';
import { AccessLogObserver } from './access-log.observer.js';

type Line = Record<string, unknown>;

const write = (record: RequestRecord, level: 'info' | 'debug' = 'info'): Line[] => {
  const lines: Line[] = [];
  const logger = createLogger(level, { write: (text) => lines.push(JSON.parse(text) as Line) });
  new AccessLogObserver(logger).closed(record);
  return lines;
};

describe('AccessLogObserver', () => {
  it('writes one line that tells who asked for what and how it went', () => {
    const lines = write(requestRecord({ clientRequestId: 'theirs-1' }));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      level: 'info',
      msg: 'request',
      request_id: '01990000-0000-7000-8000-000000000001',
      client_request_id: 'theirs-1',
      method: 'POST',
      route: '/v1/chat/completions',
      plane: 'data',
      status: 200,
      outcome: 'completed',
      auth: 'key',
      organisation: 'default',
      team: 'search',
      key: 'key-1',
      model: 'gpt',
      deployment: 'gpt/east/gpt-4o',
      provider: 'east',
      attempts: [{ deployment: 'gpt/east/gpt-4o', ms: 480 }],
      usage: {
        input_tokens: 100,
        cached_input_tokens: 40,
        cache_write_input_tokens: 8,
        output_tokens: 20,
        reasoning_tokens: 5,
        source: 'final',
      },
      upstream_ms: 480,
      duration_ms: 500,
      bytes_in: 1_200,
      bytes_out: 640,
    });
  });

  it('tells the address of strangers only', () => {
    expect(write(requestRecord())[0]).not.toHaveProperty('address');
    const stranger = { ...requestRecord({ status: 401, error: 'invalid_api_key' }), caller: undefined };
    expect(write(stranger)[0]).toMatchObject({ address: '192.0.2.7', error_type: 'caller_invalid_api_key' });
  });

  it.each([
    [{ status: 429, error: 'rate_limit_exceeded' }, 'info'],
    [{ status: 504, error: 'provider_timeout' }, 'warn'],
    [{ status: 500, error: 'internal_error' }, 'error'],
  ] as const)('takes the level of the error from the table: %j', (changes, level) => {
    expect(write(requestRecord(changes))[0]).toMatchObject({ level, error: changes.error });
  });

  it('writes probes at debug only', () => {
    const probe = requestRecord({ plane: 'metrics', route: '/readyz', status: 503, attempts: [], usage: NO_USAGE });
    expect(write(probe)).toEqual([]);
    expect(write(probe, 'debug')[0]).toMatchObject({ level: 'debug', route: '/readyz' });
  });

  it('follows a change of the level', () => {
    const lines: string[] = [];
    const logger = createLogger('info', { write: (text) => lines.push(text) });
    const observer = new AccessLogObserver(logger);
    logger.level = 'warn';
    observer.closed(requestRecord());
    expect(lines).toEqual([]);
    logger.level = 'info';
    observer.closed(requestRecord());
    expect(lines).toHaveLength(1);
  });

  it('keeps texts of clients short and on one line', () => {
    const long = `a\n{"level":60}${'x'.repeat(1_000)}`;
    const caller = { method: 'jwt', id: 'k', organisation: 'o', user: long, limits: {} } as const;
    const [line] = write(requestRecord({ clientRequestId: long, method: long, caller }));
    expect(line).toMatchObject({
      client_request_id: long.slice(0, 128),
      method: long.slice(0, 128),
      user: long.slice(0, 128),
    });
  });

  it('tells name, message and frames of what was thrown, and none of its fields', () => {
    const thrown = Object.assign(new TypeError(`broken ${'y'.repeat(500)}`), {
      config: { headers: { authorization: 'Bearer secret' } },
    });
    const [line] = write(requestRecord({ status: 500, error: 'internal_error', cause: thrown }));
    const text = JSON.stringify(line);
    expect(line?.['cause']).toMatchObject({ name: 'TypeError', message: `broken ${'y'.repeat(121)}` });
    expect(text).toContain('access-log.observer.spec');
    expect(text).not.toContain('secret');
    expect(text).not.toContain('y'.repeat(122));
  });

  it('withholds what a parser quotes of a body', () => {
    let thrown: unknown;
    try {
      JSON.parse('{"messages": "confidential');
    } catch (error) {
      thrown = error;
    }
    const [line] = write(requestRecord({ status: 500, error: 'internal_error', cause: thrown }));
    expect(line?.['cause']).toMatchObject({ name: 'SyntaxError' });
    expect(JSON.stringify(line)).not.toContain('confid');
  });

  it('tells at most ten attempts', () => {
    const attempts = Array.from({ length: 30 }, () => attemptRecord({ error: 'provider_timeout' }));
    expect(write(requestRecord({ attempts }))[0]?.['attempts']).toHaveLength(10);
  });
});
