import { SetMetadata, type CustomDecorator } from '@nestjs/common';
import type { Dialect } from '../../contract/dialect.js';
import type { AnyDialect } from './dialect.js';
import { openAiChatDialect } from './openai-chat/openai-chat.dialect.js';
import { openAiEmbeddingsDialect } from './openai-embeddings/openai-embeddings.dialect.js';

/** Every dialect callers may speak, by name. */
export const DIALECTS = {
  'openai-chat': openAiChatDialect,
  'openai-embeddings': openAiEmbeddingsDialect,
} as const satisfies Record<Dialect, AnyDialect>;

/** Metadata key of a handler's dialect. */
export const SPOKEN_DIALECT = 'tollgate:dialect';

/** Declares the dialect a handler speaks. */
export const Speaks = (dialect: Dialect): CustomDecorator => SetMetadata(SPOKEN_DIALECT, dialect);
