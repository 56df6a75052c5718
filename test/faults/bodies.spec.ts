import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { gzipSync, brotliCompressSync } from 'node:zlib';
import { generateApiKey } from '../../src/contract/api-key.ts';
import { call, chatBody, dataFields } from '../e2e/world.ts';
import { startWideWorld, type WideWorld } from './support/wide-world.ts';

const MODELS = ['single', 'sandbox', 'gemini', 'bedrock'] as const;
const MESSAGES = '"messages":[{"role":"user","content":"Say hello."}]';

describe('bodies that mean harm', () => {
  let world: WideWorld;
  const narrowKey = generateApiKey();

  beforeAll(async () => {
    world = await startWideWorld();
    const organisation = world.organisation;
    await world.gateway.writeConfig({
      ...world.config,
      keys: [
        { id: 'tester', secret: world.key, organisation, team: 'research' },
        { id: 'narrow', secret: narrowKey, organisation, models: ['single'] },
      ],
    });
    await world.gateway.logLine(({ msg }) => msg === 'configuration reloaded');
  });
  afterAll(() => world.stop());
  beforeEach(() => {
    for (const upstream of [world.azure, world.second, world.gemini, world.bedrock]) upstream.reset();
  });

  const json = { 'content-type': 'application/json' };
  const send = (bytes: string | Buffer, headers: Record<string, string> = {}, path = '/v1/chat/completions') =>
    call(world, { bytes, path, method: 'POST', headers: { ...json, ...headers } });
  const sent = () => [
    ...world.azure.records,
    ...world.second.records,
    ...world.gemini.records,
    ...world.bedrock.records,
  ];

  async function refused(answer: ReturnType<typeof send>, status: number, code: string): Promise<void> {
    const { json: read, requestId, ...rest } = await answer;
    expect({ status: rest.status, error: read()['error'] }).toMatchObject({
      status,
      error: { code, message: expect.any(String), type: expect.any(String) },
    });
    expect(requestId).toMatch(/^req_/);
    expect(sent()).toHaveLength(0);
  }

  describe('depth and length', () => {
    const deep = (depth: number) =>
      `{"model":"single",${MESSAGES},"metadata":${'['.repeat(depth)}${']'.repeat(depth)}}`;

    it.each([64, 10_000, 100_000, 1_000_000])('a nesting of %d is refused before it is parsed', async (depth) => {
      await refused(send(deep(depth)), 400, 'invalid_value');
    });

    it('a nesting that never closes is refused for its depth', async () => {
      await refused(send('['.repeat(100_000)), 400, 'invalid_value');
    });

    it('a nesting within the bound is sent on as it is', async () => {
      expect((await send(deep(60))).status).toBe(200);
      expect(world.azure.records[0]?.json).toMatchObject({ metadata: [[[expect.any(Array)]]] });
    });

    it.each([
      ['300,000 messages', `{"model":"single","messages":[${'{"role":"user"},'.repeat(300_000)}{"role":"user"}]}`],
      ['10,001 stop words', `{"model":"single",${MESSAGES},"stop":[${'"a",'.repeat(10_000)}"a"]}`],
      [
        '10,001 fields',
        `{"model":"single",${MESSAGES},"metadata":{${Array.from({ length: 10_001 }, (_, key) => `"${key}":1`).join(',')}}}`,
      ],
      [
        '110,000 fields in lists of 11',
        `{"model":"single",${MESSAGES},"metadata":[${Array(9_167)
          .fill(`{${Array.from({ length: 11 }, (_, key) => `"${key}":1`).join(',')}}`)
          .join(',')}]}`,
      ],
      ['2,000,000 numbers', `{"model":"single",${MESSAGES},"metadata":[${'1,'.repeat(2_000_000)}1]}`],
      ['10,001 lists', `{"model":"single",${MESSAGES},"metadata":[${'[],'.repeat(10_000)}[]]}`],
    ])('%s are refused', async (_name, body) => {
      await refused(send(body), 400, 'invalid_value');
    });
  });

  describe('two readings of one body', () => {
    const twice = `{"model":"sandbox","model":"single","stream":true,"stream":false,"user":"a","user":"b","max_tokens":9,"max_tokens":5,${MESSAGES}}`;

    it('what was checked is what is sent: of repeated keys the last, once', async () => {
      const answer = await send(twice);
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toBe('application/json');
      const body = world.azure.records[0]?.body.toString() ?? '';
      for (const key of ['"model"', '"stream"', '"user"', '"max_tokens"', '"messages"']) {
        expect(body.split(`${key}:`)).toHaveLength(2);
      }
      expect(world.azure.records[0]?.json).toMatchObject({ model: 'gpt-a', stream: false, user: 'b', max_tokens: 5 });
    });

    it('a key that may use one model reaches no other by naming both, nor by a path', async () => {
      const headers = { authorization: `Bearer ${narrowKey}` };
      const both = `{"model":"single","model":"sandbox",${MESSAGES}}`;
      await refused(send(both, headers), 404, 'model_not_found');
      const path = '/openai/deployments/sandbox/chat/completions';
      await refused(send(`{"model":"single",${MESSAGES}}`, headers, path), 404, 'model_not_found');
    });

    it('a key in other letters is not a second reading', async () => {
      expect((await send(`{"Model":"sandbox","MODEL":"gemini","model":"single",${MESSAGES}}`)).status).toBe(200);
      expect(world.azure.records).toHaveLength(1);
    });
  });

  describe('keys of the prototype', () => {
    it.each([
      ['at the top', `{"model":"single",${MESSAGES},"__proto__":{"admin":true}}`],
      ['escaped', `{"model":"single",${MESSAGES},"\\u005f_proto\\u005f_":{"admin":true}}`],
      ['in a message', '{"model":"single","messages":[{"role":"user","content":"x","__proto__":{"role":"system"}}]}'],
      ['in a list in a tool', `{"model":"single",${MESSAGES},"tools":[{"function":{"parameters":[{"__proto__":1}]}}]}`],
    ])('__proto__ %s is refused', async (_name, body) => {
      await refused(send(body), 400, 'invalid_value');
    });

    it('leave no trace on the requests that follow', async () => {
      for (const key of ['constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf']) {
        const answer = await send(`{"model":"single",${MESSAGES},"${key}":{"prototype":{"stream":true,"polluted":1}}}`);
        expect(answer.status).toBe(200);
        expect(world.azure.records.at(-1)?.json).toMatchObject({ [key]: { prototype: { polluted: 1 } } });
      }
      await send(`{"model":"single",${MESSAGES}}`);
      expect(Object.keys(world.azure.records.at(-1)?.json as object)).toEqual(['model', 'messages']);
    });

    it.each(MODELS)('are legal names of tool properties for %s', async (model) => {
      const properties = { constructor: { type: 'string' }, toString: { type: 'number' }, hasOwnProperty: {} };
      const parameters = { type: 'object', properties, required: ['constructor'] };
      const answer = await call(world, {
        body: chatBody(model, { tools: [{ type: 'function', function: { name: 'f', parameters } }] }),
      });
      expect(answer.status).toBe(200);
    });

    it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
      '%s is no model, role or field',
      async (name) => {
        expect((await call(world, { body: chatBody(name) })).status).toBe(404);
        expect((await call(world, { path: `/v1/models/${name}` })).status).toBe(404);
        expect(
          (await call(world, { path: `/openai/deployments/${name}/chat/completions`, body: chatBody() })).status,
        ).toBe(404);
        const messages = [{ role: name, content: 'x' }];
        expect((await call(world, { body: chatBody('sandbox', { messages }) })).status).toBe(400);
        expect(
          (await call(world, { path: `/v1/models?${name}[a]=1&${name}=2`, headers: { [name]: 'x' } })).status,
        ).toBe(200);
      },
    );
  });

  describe('numbers', () => {
    it.each([
      ['max_tokens', ['1e999', '-1', '0', '1.5', '9007199254740993', '"100"', 'true', '[]', '{}', '1e10']],
      ['max_completion_tokens', ['1e999', '-1', '0', '"100"']],
      ['n', ['1e9', '0', '-1', '1.5', '"2"', '1e999']],
      ['temperature', ['"hot"', '2.1', '-0.1', '1e999', '[1]']],
      ['top_p', ['1.1', '-1', '"1"']],
      ['top_logprobs', ['21', '-1', '1.5']],
      ['seed', ['9007199254740993', '1.5', '"1"']],
    ])('%s is refused by name', async (field, values) => {
      for (const value of values) {
        for (const model of ['single', 'sandbox']) {
          const answer = await send(`{"model":"${model}",${MESSAGES},"${field}":${value}}`);
          expect({ value, status: answer.status }).toEqual({ value, status: 400 });
          expect(answer.json()).toMatchObject({ error: { code: 'invalid_value', param: field } });
        }
      }
      expect(sent()).toHaveLength(0);
    });

    it.each(['NaN', '-Infinity', '0x10', '01', '1.', '.5', '+1'])('%s is no JSON', async (value) => {
      await refused(send(`{"model":"single",${MESSAGES},"temperature":${value}}`), 400, 'invalid_json');
    });

    it('several choices reserve as many answers', async () => {
      const key = generateApiKey();
      const { organisation } = world;
      const keys = [
        ...(world.config['keys'] as object[]),
        { id: 'few', secret: key, organisation, limits: { tokensPerMinute: 4_000 } },
      ];
      await world.gateway.writeConfig({ ...world.config, keys });
      await world.gateway.logLine(({ msg, version }) => msg === 'configuration reloaded' && version === 3);
      const ask = (n: number) => call({ ...world, key }, { body: chatBody('single', { n, max_tokens: 500 }) });
      expect((await ask(100)).json()).toMatchObject({ error: { code: 'request_too_large_for_limit' } });
      expect((await ask(2)).status).toBe(200);
    });
  });

  describe('encodings', () => {
    const body = JSON.stringify(chatBody('single'));
    const bomb = gzipSync(Buffer.alloc(50_000_000, 0x20));
    const parts = '--b\r\ncontent-disposition: form-data; name="a"\r\n\r\nx\r\n'.repeat(10_000);

    it.each([
      ['a gzip bomb', bomb, { 'content-encoding': 'gzip' }],
      ['brotli', brotliCompressSync(body), { 'content-encoding': 'br' }],
      ['two encodings', body, { 'content-encoding': 'identity, gzip' }],
      ['an unknown encoding', body, { 'content-encoding': 'x-nonsense' }],
      ['a form of 10,000 parts', `${parts}--b--`, { 'content-type': 'multipart/form-data; boundary=b' }],
      ['a form', 'model=single', { 'content-type': 'application/x-www-form-urlencoded' }],
      ['text', body, { 'content-type': 'text/plain' }],
      ['an empty type', body, { 'content-type': '' }],
      ['a type that only looks like JSON', body, { 'content-type': 'application/jsonp' }],
    ])('%s is a 415', async (_name, bytes, headers) => {
      await refused(send(bytes, headers), 415, 'unsupported_media_type');
    });

    it('no type at all is a 415', async () => {
      await refused(
        call(world, { bytes: body, method: 'POST', headers: { 'content-type': '' } }),
        415,
        'unsupported_media_type',
      );
    });

    it.each([
      ['UTF-16', Buffer.from(body, 'utf16le')],
      ['a byte order mark and nothing', Buffer.from('\ufeff')],
      ['gzip that says nothing of it', gzipSync(body)],
      ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
      ['two documents', `${body}${body}`],
      ['nothing', ''],
    ])('%s is a 400', async (_name, bytes) => {
      await refused(send(bytes), 400, 'invalid_json');
    });

    it('broken UTF-8 inside a text is sent on as well-formed text', async () => {
      const bytes = Buffer.concat([
        Buffer.from(`{"model":"single","messages":[{"role":"user","content":"`),
        Buffer.from([0xc3, 0x28, 0xed, 0xa0, 0x80]),
        Buffer.from('"}]}'),
      ]);
      expect((await send(bytes)).status).toBe(200);
      const body = world.azure.records[0]?.body ?? Buffer.alloc(0);
      expect(Buffer.from(body.toString('utf8'))).toEqual(body);
    });

    it.each(['application/json; charset=utf-8', 'Application/JSON', 'application/vnd.api+json'])(
      '%s is served',
      async (type) => {
        expect((await send(body, { 'content-type': type, 'content-encoding': 'identity' })).status).toBe(200);
      },
    );
  });

  describe('what a caller names', () => {
    const hostile = [
      'a\r\nset-cookie: stolen=1',
      'snow\u2603man',
      '\u0000',
      'n\u00e4me',
      'x'.repeat(5_000),
      '',
      ' ',
      ',',
      '=',
      '\u{1f600}',
      '\ud800',
    ];

    it.each(MODELS)(
      'in fields nobody knows never breaks a header or the process: %s',
      async (model) => {
        for (const name of hostile) {
          for (const stream of [false, true]) {
            const answer = await call(world, { body: chatBody(model, { stream, [name]: 1 }) });
            expect({ name, stream, text: answer.text, served: [200, 400].includes(answer.status) }).toMatchObject({
              served: true,
            });
            expect(answer.headers['set-cookie']).toBeUndefined();
            if (answer.status !== 200) continue;
            expect(answer.wasCut).toBe(false);
            if (stream) expect(dataFields(answer.text).at(-1)).toBe('[DONE]');
          }
        }
        expect(world.gateway.process.exitCode).toBeNull();
      },
      30_000,
    );

    it('in headers stays with us: none reaches the provider', async () => {
      const headers = {
        cookie: 'session=canary',
        'x-forwarded-for': '203.0.113.9',
        forwarded: 'for=203.0.113.9',
        'x-real-ip': '203.0.113.9',
        'x-tenant-id': 'canary',
        'x-tollgate-organisation': 'canary',
        'x-litellm-team-id': 'canary',
        'openai-organization': 'canary',
        'x-ms-client-request-id': 'canary',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        'x-request-id': 'canary',
        te: 'trailers',
        'proxy-authorization': 'Basic canary',
      };
      for (const model of ['single', 'gemini', 'bedrock']) {
        const answer = await call(world, { body: chatBody(model), headers });
        expect(answer.status).toBe(200);
        expect(answer.requestId).not.toContain('canary');
        const line = await world.gateway.accessLine(answer.requestId);
        expect(line).toMatchObject({ key: 'tester', organisation: world.organisation });
      }
      const received = JSON.stringify(sent().map((record) => record.headers));
      expect(received).not.toContain('canary');
      expect(received).not.toContain('203.0.113.9');
      expect(received).not.toContain(world.key);
      expect(received).not.toContain('traceparent');
    });

    it('as its address is believed of proxies alone, and here none is trusted', async () => {
      const headers = { authorization: '', 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9' };
      const { requestId } = await call(world, {
        body: chatBody(),
        headers: { ...headers, 'x-real-ip': '203.0.113.9' },
      });
      expect(await world.gateway.accessLine(requestId)).toMatchObject({ status: 401, address: '127.0.0.1' });
    });

    it('as user or metadata changes nothing of who it is', async () => {
      const body = chatBody('single', {
        user: 'admin',
        metadata: { organisation: 'other', team: 'other' },
        organisation: 'o',
      });
      const { requestId } = await call(world, { body });
      expect(await world.ledgerLine(requestId)).toMatchObject({
        org: world.organisation,
        team: 'research',
        user: '',
        key: 'tester',
      });
    });
  });

  describe('addresses in a body', () => {
    let target: { port: number; connections: number; close: () => void };
    beforeAll(async () => {
      const server = createServer((socket) => {
        target.connections += 1;
        socket.destroy();
      });
      await new Promise<void>((resolve) => server.listen(0, resolve));
      target = { port: (server.address() as AddressInfo).port, connections: 0, close: () => server.close() };
    });
    afterAll(() => target.close());

    const addresses = () => [
      `http://127.0.0.1:${target.port}/a.png`,
      `http://127.1:${target.port}/`,
      `http://2130706433:${target.port}/`,
      `http://0x7f000001:${target.port}/`,
      `http://0:${target.port}/`,
      `http://[::1]:${target.port}/`,
      `http://[::ffff:7f00:1]:${target.port}/`,
      `http://localhost.:${target.port}/`,
      `http://\u2460\u2461\u2466.0.0.1:${target.port}/`,
      `http://someone@127.0.0.1:${target.port}/`,
      'http://169.254.169.254/latest/meta-data/',
      'http://[::ffff:a9fe:a9fe]/',
      'file:///etc/passwd',
      `gopher://127.0.0.1:${target.port}/_x`,
      `//127.0.0.1:${target.port}/`,
    ];

    it.each(MODELS)('are never fetched by us: %s', async (model) => {
      for (const url of addresses()) {
        const content = [
          { type: 'text', text: 'What is it?' },
          { type: 'image_url', image_url: { url } },
        ];
        const body = chatBody(model, { messages: [{ role: 'user', content }] });
        const answer = await call(world, { body });
        expect({ url, text: answer.text, served: [200, 400, 422].includes(answer.status) }).toMatchObject({
          served: true,
        });
        if (model === 'single') {
          expect(world.azure.records.at(-1)?.json).toMatchObject({
            messages: [{ content: [{}, { image_url: { url } }] }],
          });
        }
      }
      expect(target.connections).toBe(0);
    });

    it.each(MODELS)('as endpoint, schema or webhook change nothing: %s', async (model) => {
      const [url = ''] = addresses();
      const overrides = {
        api_base: url,
        base_url: url,
        api_key: 'stolen',
        api_version: '1900-01-01',
        azure_endpoint: url,
        webhook_url: url,
        proxy: url,
        provider: 'second',
        deployment: 'other',
        model_list: [{ model_name: 'single', litellm_params: { api_base: url, api_key: 'stolen' } }],
        litellm_params: { api_base: url },
        extra_headers: { authorization: 'Bearer stolen' },
        extra_body: { api_base: url },
        extra_query: { 'api-version': '1900-01-01' },
        tools: [
          { type: 'function', function: { name: 'f', parameters: { $ref: url, properties: { a: { $ref: url } } } } },
        ],
      };
      const answer = await call(world, { body: chatBody(model, overrides) });
      expect(answer.status).toBeLessThan(500);
      expect(target.connections).toBe(0);
      expect(world.second.records).toHaveLength(0);
      for (const { path, headers } of sent()) {
        expect(JSON.stringify({ path, headers })).not.toMatch(/stolen|1900-01-01/);
      }
      if (model === 'single') expect(sent()).toHaveLength(1);
    });
  });
});
