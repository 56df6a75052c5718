import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { chatCompletionRequest } from './dialects/openai-chat/openai-chat.schema.js';
import { embeddingsRequest } from './dialects/openai-embeddings/openai-embeddings.dialect.js';
import { liveRequestOf } from './request/live-request.js';

type PathItem = OpenAPIObject['paths'][string];

const errorBody = z.object({
  error: z.looseObject({
    message: z.string().describe('What was wrong and what to do.'),
    type: z.string(),
    param: z.string().nullable().describe('The field at fault, as a path in the body.'),
    code: z.string().nullable(),
  }),
});

/** The named schemas of the API, made from the schemas that check it. */
const SCHEMAS = {
  ChatCompletionRequest: chatCompletionRequest,
  EmbeddingsRequest: embeddingsRequest,
  Error: errorBody,
} as const;

/** A request body by the name of its schema. */
export function bodySchema(name: keyof typeof SCHEMAS): { required: true; schema: { $ref: string } } {
  return { required: true, schema: { $ref: `#/components/schemas/${name}` } };
}

/** The schemas as OpenAPI components, references among them included. */
function components(): Record<string, object> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(SCHEMAS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io: 'input', uri: (id) => `#/components/schemas/${id}` });
  const named = Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema: _dialect, $id: _id, ...schema }]) => [name, schema]),
  );
  // zod writes a reference to a shared schema as a document of its own; here all are one document.
  return JSON.parse(JSON.stringify(named).replaceAll('__shared#/', '__shared/')) as Record<string, object>;
}

/** Routes of other listeners. */
const HIDDEN = new Set(['/metrics', '/livez', '/readyz']);

const TEXT = { type: 'string' } as const;

/** What stands in the place of each placeholder of a path. */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  deployment: 'A model of GET /v1/models; it counts, whatever the body names.',
  id: 'The name of a model; it may hold "/" and ":".',
};

/** Declares the placeholders of a path, which Nest does not see in handlers that take the request or the rest of a path. */
function declarePlaceholders(path: string, { get, post }: PathItem): void {
  for (const [, name = ''] of path.matchAll(/\{(\w+)\}/g)) {
    const parameter = {
      name,
      in: 'path',
      required: true,
      description: PLACEHOLDERS[name] ?? '',
      schema: TEXT,
    } as const;
    for (const operation of [get, post]) {
      const isDeclared = operation?.parameters?.some((known) => 'name' in known && known.name === name);
      if (operation !== undefined && isDeclared !== true) (operation.parameters ??= []).push(parameter);
    }
  }
}

/** The OpenAPI description of the data plane. */
export function openApiDocument(application: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Tollgate')
    .setDescription('One gate to every cloud’s AI. Errors have OpenAI’s shape; every answer carries x-request-id.')
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'A Tollgate key (tg_…) or a token of your issuer.' })
    .build();
  const document = SwaggerModule.createDocument(application, config);
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, ...components() },
  };
  const paths = Object.entries(document.paths).filter(([path]) => !HIDDEN.has(path));
  for (const [path, item] of paths) declarePlaceholders(path, item);
  document.paths = Object.fromEntries(paths);
  return document;
}

/** The paths below which the description is served; no guard sees them, so the listener is checked here. */
const DESCRIPTION_PATHS = ['/docs', '/openapi.json', '/openapi.yaml'];

function onDataPlaneOnly(request: Request, response: Response, next: (error?: unknown) => void): void {
  if (liveRequestOf(request).plane === 'data') next();
  else response.status(404).end();
}

/** Serves the description as /openapi.json and as a page at /docs. */
export function serveOpenApi(application: INestApplication): void {
  application.use(DESCRIPTION_PATHS, onDataPlaneOnly);
  SwaggerModule.setup('docs', application, () => openApiDocument(application), {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
    customSiteTitle: 'Tollgate',
  });
}
