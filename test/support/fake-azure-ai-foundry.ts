import {
  chatAnswer,
  embeddingsAnswer,
  failureAnswer,
  OPENAI_HABITS,
  type WireBody,
  type WireHabits,
} from './fake-openai-wire.ts';
import { FakeUpstream, type FakeRecord, type Script } from './fake-upstream.ts';
import type { WireAnswer } from './fake-wire.ts';

const HABITS: WireHabits = OPENAI_HABITS;

/** The paths the server has. */
const PATHS = /^\/models\/(chat\/completions|embeddings)\?api-version=\d{4}-\d{2}-\d{2}(-preview)?$/;

/** Fields that only a model may know, of those the suite sends. */
const UNKNOWN = ['logit_bias', 'logprobs', 'max_completion_tokens', 'n', 'stream_options', 'user'];

/** Without leave to pass them on, the service refuses fields it does not know. */
function hasUnknown({ headers, json }: FakeRecord): boolean {
  return headers['extra-parameters'] !== 'pass-through' && UNKNOWN.some((field) => field in (json as object));
}

/** A server of the kind: its paths and its credential are checked. */
export class FakeAzureAiFoundry extends FakeUpstream {
  readonly apiKey: string;

  constructor(apiKey = 'azure-ai-foundry-test-key') {
    super();
    this.apiKey = apiKey;
  }

  protected modelOf(_path: string, json: unknown): string | undefined {
    return (json as WireBody | undefined)?.model;
  }

  protected answer(record: FakeRecord, script: Script): WireAnswer {
    if (!this.isAuthentic(record)) return failureAnswer({ status: 401, message: 'Unknown key.' }, HABITS);
    const operation = PATHS.exec(record.path)?.[1];
    if (operation === undefined) return failureAnswer({ status: 404 }, HABITS);
    if (hasUnknown(record)) return failureAnswer({ status: 400, message: 'Extra inputs are not permitted.' }, HABITS);
    if (script.failure !== undefined) return failureAnswer(script.failure, HABITS);
    const body = (record.json ?? {}) as WireBody;
    const reply = script.reply ?? {};
    return operation === 'embeddings' ? embeddingsAnswer(reply, body, HABITS) : chatAnswer(reply, body, HABITS);
  }

  private isAuthentic({ headers }: FakeRecord): boolean {
    return headers['api-key'] === this.apiKey;
  }
}
