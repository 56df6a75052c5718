import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { IncomingMessage } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { temporaryDirectory } from '../../test/support/config-samples.js';
import { generateApiKey } from '../contract/api-key.js';
import { GatewayError } from '../contract/errors.js';
import { createLogger, NestPinoLogger } from './logging.js';

const capture = (level: Parameters<typeof createLogger>[0] = 'trace') => {
  const lines: string[] = [];
  const logger = createLogger(level, { write: (line: string) => void lines.push(line) });
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? 'null') as Record<string, unknown> };
};

describe('createLogger', () => {
  it('writes one JSON object a line', () => {
    const { logger, lines, last } = capture();
    logger.info({ model: 'small', attempts: [{ provider: 'desk', status: 200 }], since: new Date(0) }, 'done');
    expect(lines).toHaveLength(1);
    expect(lines[0]?.endsWith('}\n')).toBe(true);
    expect(last()).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      model: 'small',
      attempts: [{ provider: 'desk', status: 200 }],
      since: '1970-01-01T00:00:00.000Z',
      msg: 'done',
    });
  });

  it('is silent below its level', () => {
    const { logger, lines } = capture('warn');
    logger.info('no');
    logger.level = 'info';
    logger.info('yes');
    expect(lines).toHaveLength(1);
  });

  it('writes neither headers nor the objects of libraries', () => {
    const { logger, lines } = capture();
    const request = new IncomingMessage(new Socket());
    request.headers.cookie = 'canary';
    const failure = Object.assign(new Error('refused', { cause: new GatewayError('provider_error') }), {
      code: 'E1',
      status: 401,
      headers: { 'x-key': 'canary' },
      request,
    });
    logger.error(
      {
        err: failure,
        request,
        headers: { a: 'canary' },
        nested: { authorization: 'canary' },
        bytes: Buffer.from('canary'),
      },
      'x',
    );
    expect(lines.join()).not.toContain('canary');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      err: {
        type: 'Error',
        message: 'refused',
        code: 'E1',
        status: 401,
        cause: { code: 'provider_error', status: 502 },
      },
      request: '[IncomingMessage]',
      nested: {},
      bytes: '[Buffer]',
    });
  });

  it('masks credentials wherever they stand', () => {
    const { logger, lines } = capture();
    const key = generateApiKey();
    const secrets = [
      key,
      `Bearer ${'b'.repeat(24)}`,
      `sk-proj-${'s'.repeat(30)}`,
      `AKIA${'A'.repeat(16)}`,
      `AIza${'g'.repeat(35)}`,
      `eyJ${'h'.repeat(20)}.${'p'.repeat(20)}.${'s'.repeat(20)}`,
    ];
    for (const secret of secrets) logger.info({ note: [secret], err: new Error(`with ${secret}`) }, `got ${secret}`);
    logger.child({ note: key }).info('x');
    logger.error(new Error('connect redis://user:hunter2@store:6379 failed'));
    for (const secret of [...secrets.map((text) => text.slice(-12)), 'hunter2'])
      expect(lines.join()).not.toContain(secret);
    expect(lines[0]).toContain(`got ${key.slice(0, 12)}***`);
    for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow();
  });

  it('survives what cannot be written as JSON', () => {
    const { logger, last } = capture();
    const loop: Record<string, unknown> = { big: 1n, run: () => 1, when: new Date(Number.NaN) };
    loop.self = loop;
    logger.info(loop, 'x');
    expect(last()).toMatchObject({ big: '1', when: null, msg: 'x' });
  });

  it('has written every line when the process exits', () => {
    const directory = temporaryDirectory();
    for (const name of ['logging', 'log-fields', 'scrub-credentials']) {
      const source = readFileSync(join(__dirname, `${name}.ts`), 'utf8');
      writeFileSync(join(directory.path, `${name}.js`), stripTypeScriptTypes(source, { mode: 'transform' }));
    }
    writeFileSync(join(directory.path, 'package.json'), '{ "type": "module" }');
    symlinkSync(join(__dirname, '../../node_modules'), join(directory.path, 'node_modules'));
    const program = `
      const { createLogger } = await import(${JSON.stringify(join(directory.path, 'logging.js'))});
      const logger = createLogger('info');
      for (let line = 0; line < 2000; line++) logger.info({ line }, 'x');
      process.exit(0);`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    directory.remove();
    expect(child.stderr).toBe('');
    expect(child.stdout.trim().split('\n')).toHaveLength(2000);
  });
});

describe('NestPinoLogger', () => {
  it('writes the messages of Nest with their origin', () => {
    const { logger, last } = capture();
    const nest = new NestPinoLogger(logger);
    nest.log('started', 'NestApplication');
    expect(last()).toMatchObject({ level: 'info', msg: 'started', context: 'NestApplication' });
    nest.warn({ a: { headers: 'canary', b: 1 } }, 'Thing');
    expect(last()).toMatchObject({ level: 'warn', msg: '{"a":{"b":1}}', context: 'Thing' });
    nest.verbose('v');
    expect(last()).toMatchObject({ level: 'trace', msg: 'v' });
  });

  it('writes errors as errors, also those that come as a stack', () => {
    const { logger, last } = capture();
    const nest = new NestPinoLogger(logger);
    nest.error(new Error('no'), undefined, 'ExceptionsHandler');
    expect(last()).toMatchObject({ level: 'error', msg: 'no', err: { message: 'no' }, context: 'ExceptionsHandler' });
    nest.fatal('bad', 'Error: bad\n    at here', 'Core');
    expect(last()).toMatchObject({ level: 'fatal', msg: 'bad', stack: 'Error: bad\n    at here', context: 'Core' });
  });

  it("keeps Nest's narration of start-up for debugging", () => {
    const { logger, last } = capture();
    new NestPinoLogger(logger).log('Mapped {/livez, GET} route', 'RouterExplorer');
    expect(last()).toMatchObject({ level: 'debug' });
  });
});
