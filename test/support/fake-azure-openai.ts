import {
  chatAnswer,
  embeddingsAnswer,
  failureAnswer,
  OPENAI_HABITS,
  type WireBody,
  type WireHabits,
} from './fake-openai-wire.ts';
import { FakeUpstream, type FakeRecord, type Failure, type Script } from './fake-upstream.ts';
import type { WireAnswer } from './fake-wire.ts';

export { sseEvent } from './fake-openai-wire.ts';

const FILTER = { hate: { filtered: false, severity: 'safe' }, violence: { filtered: false, severity: 'safe' } };

const AZURE_HABITS: WireHabits = {
  ...OPENAI_HABITS,
  headers: { 'x-ms-region': 'Sweden Central' },
  choice: { content_filter_results: FILTER },
  answer: {
    ...OPENAI_HABITS.answer,
    prompt_filter_results: [{ prompt_index: 0, content_filter_results: FILTER }],
  },
  firstEvent: {
    choices: [],
    created: 0,
    id: '',
    model: '',
    object: '',
    prompt_filter_results: [{ prompt_index: 0, content_filter_results: FILTER }],
  },
};

const DENIED: Failure = {
  status: 401,
  body: { error: { code: '401', message: 'Access denied due to invalid subscription key.' } },
};

/** The error a filtered prompt gets, innererror included. */
export const AZURE_CONTENT_FILTER: Failure = {
  status: 400,
  body: {
    error: {
      message: 'The response was filtered due to the prompt triggering the content management policy.',
      type: null,
      param: 'prompt',
      code: 'content_filter',
      status: 400,
      innererror: {
        code: 'ResponsibleAIPolicyViolation',
        content_filter_result: { hate: { filtered: true, severity: 'high' } },
      },
    },
  },
};

/** The error of a prompt longer than the model's window. */
export const AZURE_CONTEXT_LENGTH: Failure = {
  status: 400,
  code: 'context_length_exceeded',
  message: "This model's maximum context length is 8192 tokens. Please reduce the length of the messages.",
};

/**
 * An Azure OpenAI resource: classic paths with api-version and v1 paths, a key or a bearer token checked, chat and
 * embeddings, and Azure's own first event of a stream.
 */
export class FakeAzureOpenAI extends FakeUpstream {
  /** What `api-key` must be. */
  readonly apiKey: string;
  /** What a bearer token must be; the v1 API takes the key there too. */
  token: string;

  constructor(apiKey = 'azure-test-key', token = 'azure-test-token') {
    super();
    this.apiKey = apiKey;
    this.token = token;
  }

  protected modelOf(path: string, json: unknown): string | undefined {
    const deployment = /^\/openai\/deployments\/([^/]+)\//.exec(path)?.[1];
    if (deployment !== undefined) return decodeURIComponent(deployment);
    return (json as WireBody | undefined)?.model;
  }

  protected answer(record: FakeRecord, script: Script): WireAnswer {
    if (!this.isAuthentic(record)) {
      return failureAnswer(DENIED, AZURE_HABITS);
    }
    const operation = operationOf(record.path);
    if (operation === undefined)
      return failureAnswer({ status: 404, code: '404', message: 'Resource not found' }, AZURE_HABITS);
    if (script.failure !== undefined) return failureAnswer(script.failure, AZURE_HABITS);
    const body = (record.json ?? {}) as WireBody;
    const reply = script.reply ?? {};
    if (operation === 'embeddings') return embeddingsAnswer(reply, body, AZURE_HABITS);
    return chatAnswer(reply, body, AZURE_HABITS);
  }

  private isAuthentic({ headers }: FakeRecord): boolean {
    const { authorization } = headers;
    if (headers['api-key'] !== undefined) return headers['api-key'] === this.apiKey;
    return authorization === `Bearer ${this.token}` || authorization === `Bearer ${this.apiKey}`;
  }
}

function operationOf(path: string): 'chat' | 'embeddings' | undefined {
  const match =
    /^\/openai\/deployments\/[^/]+\/(chat\/completions|embeddings)\?api-version=\d{4}-\d{2}-\d{2}(-preview)?$/.exec(
      path,
    ) ?? /^\/openai\/v1\/(chat\/completions|embeddings)$/.exec(path);
  if (match === null) return undefined;
  return match[1] === 'embeddings' ? 'embeddings' : 'chat';
}
