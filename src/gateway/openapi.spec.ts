import type { AddressInfo } from 'node:net';
import { Controller, Get, Module, type INestApplication } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { Test } from '@nestjs/testing';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { ConfigStore } from '../config/config.store.js';
import type { Plane } from '../contract/plane.js';
import { MetricsRecorder } from '../metrics/metrics.recorder.js';
import { QuotaService } from '../quota/quota.service.js';
import { RoutingService } from '../routing/routing.service.js';
import { ChatController } from './chat.controller.js';
import { chatCompletionRequest } from './dialects/openai-chat/openai-chat.schema.js';
import { openAiError } from './dialects/openai-error.js';
import { embeddingsRequest } from './dialects/openai-embeddings/openai-embeddings.dialect.js';
import { Dispatcher } from './dispatcher.js';
import { EmbeddingsController } from './embeddings.controller.js';
import { ModelsController } from './models.controller.js';
import { openApiDocument, serveOpenApi } from './openapi.js';
import { GatewayError } from '../contract/errors.js';
import { declarePlane, RequestLifecycle } from './request/request-lifecycle.js';

/** What OpenAPI 3.1 asks of the parts of a document that ours has. */
const STRUCTURE = {
  type: 'object',
  required: ['openapi', 'info', 'paths', 'components'],
  properties: {
    openapi: { const: '3.1.0' },
    info: {
      type: 'object',
      required: ['title', 'version'],
      properties: { title: { type: 'string', minLength: 1 }, version: { type: 'string', minLength: 1 } },
    },
    paths: {
      type: 'object',
      propertyNames: { pattern: '^/' },
      additionalProperties: {
        type: 'object',
        propertyNames: { enum: ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] },
        additionalProperties: { $ref: '#/$defs/operation' },
      },
    },
    components: {
      type: 'object',
      properties: {
        schemas: { $ref: '#/$defs/components' },
        securitySchemes: {
          $ref: '#/$defs/components',
          additionalProperties: {
            type: 'object',
            required: ['type', 'scheme'],
            properties: { type: { const: 'http' } },
          },
        },
      },
    },
  },
  $defs: {
    components: { type: 'object', propertyNames: { pattern: '^[A-Za-z0-9._-]+$' } },
    operation: {
      type: 'object',
      required: ['operationId', 'responses', 'security', 'summary', 'tags'],
      properties: {
        operationId: { type: 'string' },
        parameters: {
          type: 'array',
          items: {
            type: 'object',
            required: ['name', 'in', 'required', 'schema'],
            properties: { in: { const: 'path' }, required: { const: true } },
          },
        },
        requestBody: { type: 'object', required: ['content'], properties: { content: { $ref: '#/$defs/content' } } },
        responses: {
          type: 'object',
          minProperties: 1,
          propertyNames: { pattern: '^([1-5][0-9][0-9]|[1-5]XX|default)$' },
          additionalProperties: {
            type: 'object',
            required: ['description'],
            properties: { description: { type: 'string', minLength: 1 }, content: { $ref: '#/$defs/content' } },
          },
        },
      },
    },
    content: {
      type: 'object',
      propertyNames: { pattern: '^[a-z]+/' },
      additionalProperties: { type: 'object', required: ['schema'] },
    },
  },
};

/** What is read of an operation. */
interface WireOperation {
  readonly operationId: string;
  readonly security: unknown;
  readonly parameters?: readonly { readonly name: string }[];
  readonly requestBody?: {
    readonly content: Record<string, { readonly schema: { readonly $ref?: string } } | undefined>;
  };
  readonly responses: Record<
    string,
    { readonly content: Record<string, { readonly schema: object } | undefined> } | undefined
  >;
}

/** A listener's own route, which is none of the API. */
@Controller()
class ProbeController {
  @Get('livez')
  live(): string {
    return 'ok';
  }
}

const stubs = [Dispatcher, RoutingService, ConfigStore, QuotaService, MetricsRecorder].map((token) => ({
  provide: token,
  useValue: {},
}));

@Module({ controllers: [ChatController, EmbeddingsController, ModelsController, ProbeController], providers: stubs })
class ApiModule {}

async function createApplication(): Promise<INestApplication> {
  const module = await Test.createTestingModule({ imports: [ApiModule] }).compile();
  return module.createNestApplication({ bodyParser: false, logger: false });
}

/** Every object inside a value, with its path. */
function* objectsIn(value: unknown, path = '#'): Generator<[string, Record<string, unknown>]> {
  if (typeof value !== 'object' || value === null) return;
  yield [path, value as Record<string, unknown>];
  for (const [key, inner] of Object.entries(value)) yield* objectsIn(inner, `${path}/${key}`);
}

function resolve(document: object, pointer: string): unknown {
  return pointer
    .replace('#/', '')
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document);
}

describe('the description of the API', () => {
  let application: INestApplication;
  let document: OpenAPIObject;
  let operations: { path: string; method: string; operation: WireOperation }[];

  beforeAll(async () => {
    application = await createApplication();
    document = openApiDocument(application);
    operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ path, method, operation: operation as WireOperation })),
    );
  });
  afterAll(() => application.close());

  it('has the structure of OpenAPI 3.1', () => {
    const check = new Ajv2020({ allErrors: true, strict: false }).compile(STRUCTURE);
    check(document);
    expect(check.errors ?? []).toEqual([]);
  });

  it('names every route of callers, and no other', () => {
    expect(operations.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(
      [
        'post /v1/chat/completions',
        'post /openai/v1/chat/completions',
        'post /openai/deployments/{deployment}/chat/completions',
        'post /v1/embeddings',
        'post /openai/v1/embeddings',
        'post /openai/deployments/{deployment}/embeddings',
        'get /v1/models',
        'get /openai/v1/models',
        'get /openai/models',
        'get /v1/models/{id}',
        'get /openai/v1/models/{id}',
        'get /openai/models/{id}',
      ].sort(),
    );
  });

  it('gives every operation an id of its own and every placeholder a parameter', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, operation } of operations) {
      const placeholders = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name);
      const declared = (operation.parameters ?? []).map(({ name }) => name);
      expect({ path, declared }).toEqual({ path, declared: placeholders });
    }
  });

  it('asks for the credential it describes', () => {
    const schemes = Object.keys(document.components?.securitySchemes ?? {});
    expect(schemes).toHaveLength(1);
    for (const { operation } of operations) expect(operation.security).toEqual([{ [schemes[0] ?? '']: [] }]);
  });

  it('has no reference that leads nowhere', () => {
    const references = [...objectsIn(document)].flatMap(([path, { $ref }]) =>
      typeof $ref === 'string' ? [[path, $ref]] : [],
    );
    expect(references.length).toBeGreaterThan(10);
    expect(references.filter(([, reference = '']) => !reference.startsWith('#/'))).toEqual([]);
    expect(references.filter(([, reference = '']) => resolve(document, reference) === undefined)).toEqual([]);
  });

  it('shows the body and the errors of every call', () => {
    const bodies = operations.map(({ path, operation }) => [
      path.split('/').at(-1),
      operation.requestBody?.content['application/json']?.schema.$ref,
    ]);
    for (const [last, reference] of bodies) {
      if (last === 'completions') expect(reference).toBe('#/components/schemas/ChatCompletionRequest');
      else if (last === 'embeddings') expect(reference).toBe('#/components/schemas/EmbeddingsRequest');
      else expect(reference).toBeUndefined();
    }
    const posts = operations.filter(({ method }) => method === 'post');
    for (const { operation } of posts) {
      expect(operation.responses['4XX']?.content['application/json']?.schema).toEqual({
        $ref: '#/components/schemas/Error',
      });
    }
  });

  describe('has schemas that say what is really checked:', () => {
    function accepts(name: string, value: unknown): boolean {
      const ajv = new Ajv2020({ strict: false });
      ajv.addSchema({ $id: 'document', components: document.components });
      return ajv.compile({ $ref: `document#/components/schemas/${name}` })(value);
    }
    const chat = (fields: object) => ({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...fields });

    it.each<[string, object]>([
      ['a minimal chat', chat({})],
      ['a field nobody knows', chat({ something: 1 })],
      ['nulls', chat({ temperature: null, tools: null, stop: null })],
      ['parts', chat({ messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }] }] })],
      ['a tool', chat({ tools: [{ type: 'function', function: { name: 'a', parameters: { type: 'object' } } }] })],
      ['a temperature out of range', chat({ temperature: 3 })],
      ['no messages', chat({ messages: [] })],
      ['an unknown role', chat({ messages: [{ role: 'someone', content: 'a' }] })],
      ['a tool without a name', chat({ tools: [{ type: 'function', function: {} }] })],
      ['no model', { messages: [{ role: 'user', content: 'a' }] }],
    ])('%s', (_name, body) => {
      expect(accepts('ChatCompletionRequest', body)).toBe(chatCompletionRequest.safeParse(body).success);
    });

    it.each<[string, object]>([
      ['a text', { model: 'm', input: 'a' }],
      ['token ids', { model: 'm', input: [[1, 2]] }],
      ['nothing', { model: 'm', input: [] }],
      ['another encoding', { model: 'm', input: 'a', encoding_format: 'hex' }],
    ])('%s to embed', (_name, body) => {
      expect(accepts('EmbeddingsRequest', body)).toBe(embeddingsRequest.safeParse(body).success);
    });

    it('errors as they are answered', () => {
      expect(accepts('Error', openAiError(new GatewayError('rate_limit_exceeded', { extra: { a: 1 } })))).toBe(true);
      expect(accepts('Error', { error: 'text' })).toBe(false);
    });
  });
});

describe('the pages of the description', () => {
  it.each<[Plane, number]>([
    ['data', 200],
    ['admin', 404],
    ['metrics', 404],
  ])('on the %s listener answer %d', async (plane, expected) => {
    const application = await createApplication();
    application.use(new RequestLifecycle([]).middleware);
    serveOpenApi(application);
    declarePlane(application.getHttpServer(), plane);
    await application.listen(0, '127.0.0.1');
    const { port } = application.getHttpServer().address() as AddressInfo;
    const statuses = [];
    for (const path of ['/openapi.json', '/openapi.yaml', '/docs']) {
      statuses.push((await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } })).status);
    }
    await application.close();
    expect(statuses).toEqual([expected, expected, expected]);
  });
});
