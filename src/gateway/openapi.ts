import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { chatCompletionRequest } from './dialects/openai-chat/openai-chat.schema.js';
import { embeddingsRequest } from './dialects/openai-embeddings/openai-embeddings.dialect.js';

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

function jsonSchema(schema: z.ZodType): object {
  const { $schema: _dialect, id: _id, ...rest } = z.toJSONSchema(schema, { io: 'input' }) as Record<string, unknown>;
  return rest;
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
  const schemas = Object.fromEntries(Object.entries(SCHEMAS).map(([name, schema]) => [name, jsonSchema(schema)]));
  document.components = { ...document.components, schemas: { ...document.components?.schemas, ...schemas } };
  document.paths = Object.fromEntries(Object.entries(document.paths).filter(([path]) => !HIDDEN.has(path)));
  return document;
}

/** Routes of other listeners. */
const HIDDEN = new Set(['/metrics', '/livez', '/readyz']);

/** Serves the description as /openapi.json and as a page at /docs. */
export function serveOpenApi(application: INestApplication): void {
  SwaggerModule.setup('docs', application, () => openApiDocument(application), {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
    customSiteTitle: 'Tollgate',
  });
}
