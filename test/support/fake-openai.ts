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

/** The error of a prompt longer than the model's window. */
export const OPENAI_CONTEXT_LENGTH: Failure = {
  status: 400,
  body: {
    error: {
      message: "This model's maximum context length is 8192 tokens. Please reduce the length of the messages.",
      type: 'invalid_request_error',
      param: 'messages',
      code: 'context_length_exceeded',
    },
  },
};

/** OpenAI, or a server that speaks as it does: `/v1` paths and a bearer token, with habits of its own. */
export class FakeOpenAI extends FakeUpstream {
  /** What the bearer token must be; null = the server asks for none, and refuses one. */
  readonly apiKey: string | null;
  readonly habits: WireHabits;

  constructor(apiKey: string | null = 'openai-test-key', habits: Partial<WireHabits> = {}) {
    super();
    this.apiKey = apiKey;
    this.habits = { ...OPENAI_HABITS, ...habits };
  }

  protected modelOf(_path: string, json: unknown): string | undefined {
    return (json as WireBody | undefined)?.model;
  }

  protected answer(record: FakeRecord, script: Script): WireAnswer {
    const expected = this.apiKey === null ? undefined : `Bearer ${this.apiKey}`;
    if (record.headers.authorization !== expected) {
      return failureAnswer({ status: 401, code: 'invalid_api_key', message: 'Incorrect API key.' }, this.habits);
    }
    const operation = /^\/v1\/(chat\/completions|embeddings)$/.exec(record.path)?.[1];
    if (operation === undefined) return failureAnswer({ status: 404 }, this.habits);
    if (script.failure !== undefined) return failureAnswer(script.failure, this.habits);
    const body = (record.json ?? {}) as WireBody;
    const reply = script.reply ?? {};
    if (operation === 'embeddings') return embeddingsAnswer(reply, body, this.habits);
    return chatAnswer(reply, body, this.habits);
  }
}
