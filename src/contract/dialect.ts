/** A wire API that a caller speaks to us, or that we speak to a provider. */
export type Dialect = 'openai-chat' | 'openai-embeddings';

/** What a caller wants done; one operation can be asked for in several dialects. */
export type Operation = 'chat' | 'embeddings';
