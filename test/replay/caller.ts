import OpenAI, { APIError } from 'openai';
import type { Answer } from './compare.ts';
import type { ExpectedUsage } from './expect.ts';
import type { Recording } from './recording.ts';
import { chatBody, embeddingsBody } from './request.ts';
import type { AnswerKind } from './schema.ts';

/** An answer with the bytes it came as. */
export interface CalledAnswer {
  readonly answer: Answer;
  readonly kind: AnswerKind;
  /** The JSON values received: one, or the chunks of a stream. */
  readonly values: readonly unknown[];
}

/** A user of the gateway with the official client. */
export class ReplayCaller {
  private readonly client: OpenAI;
  private body: Promise<string> = Promise.resolve('');

  constructor(origin: string, apiKey: string) {
    this.client = new OpenAI({
      baseURL: `${origin}/v1`,
      apiKey,
      maxRetries: 0,
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        // The client aborts a stream that reports an error, and its copy with it.
        this.body = response
          .clone()
          .text()
          .catch(() => '');
        return response;
      },
    });
  }

  /** Asks for a recording by the model that stands for it. Rejects only when the connection fails. */
  async ask(recording: Recording, model: string): Promise<CalledAnswer> {
    try {
      const answer = await this.call(recording, model);
      return { answer, kind: KINDS[recording.call], values: values(await this.body) };
    } catch (thrown) {
      if (!(thrown instanceof APIError)) throw thrown;
      const values_ = thrown.status === undefined ? [] : values(await this.body);
      return {
        answer: {
          type: 'error',
          status: thrown.status,
          error: thrown.error,
          retryAfter: thrown.headers?.get('retry-after') ?? null,
        },
        kind: 'openai.error',
        values: values_,
      };
    }
  }

  private call(recording: Recording, model: string): Promise<Answer> {
    switch (recording.call) {
      case 'chat':
        return this.chat(recording, model);
      case 'chat-stream':
        return this.stream(recording, model);
      case 'embeddings':
        return this.embeddings(recording, model);
    }
  }

  private async chat(recording: Recording, model: string): Promise<Answer> {
    const completion = await this.client.chat.completions.create({ ...chatBody(recording), model, stream: false });
    const [choice] = completion.choices;
    const calls = (choice?.message.tool_calls ?? []).flatMap((call) =>
      call.type === 'function' ? [{ id: call.id, name: call.function.name, arguments: call.function.arguments }] : [],
    );
    return {
      type: 'chat',
      text: choice?.message.content ?? '',
      reasoning: reasoningOf(choice?.message),
      calls,
      finishReason: choice?.finish_reason,
      ...usageOf(completion.usage),
    };
  }

  private async stream(recording: Recording, model: string): Promise<Answer> {
    const stream = await this.client.chat.completions.create({
      ...chatBody(recording),
      model,
      stream: true,
      stream_options: { include_usage: true },
    });
    const calls: { id: string; name: string; arguments: string }[] = [];
    let text = '';
    let reasoning = '';
    let finishReason: string | null | undefined;
    let usage: { usage?: ExpectedUsage } = {};
    for await (const chunk of stream) {
      const [choice] = chunk.choices;
      text += choice?.delta.content ?? '';
      reasoning += reasoningOf(choice?.delta);
      finishReason = choice?.finish_reason ?? finishReason;
      if (chunk.usage) usage = usageOf(chunk.usage);
      for (const { index, id, function: called } of choice?.delta.tool_calls ?? []) {
        const call = (calls[index] ??= { id: id ?? '', name: '', arguments: '' });
        call.name += called?.name ?? '';
        call.arguments += called?.arguments ?? '';
      }
    }
    return { type: 'chat', text, reasoning, calls, finishReason, ...usage };
  }

  private async embeddings(recording: Recording, model: string): Promise<Answer> {
    const { data, usage } = await this.client.embeddings.create({ ...embeddingsBody(recording), model });
    // Without encoding_format the client asks for base64 and decodes it; when the recorded request named one, it does not.
    const vectors = data.map(({ embedding }) => decoded(embedding));
    return { type: 'embeddings', vectors, promptTokens: usage.prompt_tokens };
  }
}

const KINDS = {
  chat: 'openai.chat',
  'chat-stream': 'openai.chunk',
  embeddings: 'openai.embeddings',
} as const satisfies Record<Recording['call'], AnswerKind>;

function decoded(embedding: unknown): number[] {
  if (typeof embedding !== 'string') return embedding as number[];
  const bytes = Buffer.from(embedding, 'base64');
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
}

/** Thinking, which OpenAI's types do not have; servers of its wire use either name. */
function reasoningOf(holder: object | undefined): string {
  const { reasoning_content: named, reasoning } = (holder ?? {}) as { reasoning_content?: string; reasoning?: string };
  return named ?? reasoning ?? '';
}

function usageOf(usage: OpenAI.CompletionUsage | undefined): { usage?: ExpectedUsage } {
  if (usage === undefined) return {};
  const { prompt_tokens: prompt, completion_tokens: completion, total_tokens: total } = usage;
  const cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
  const reasoning = usage.completion_tokens_details?.reasoning_tokens ?? 0;
  return { usage: { prompt, completion, total, cached, reasoning } };
}

/** The JSON values of a body: one, or those of an event stream. */
function values(body: string): unknown[] {
  if (!/^(data|event|:)/.test(body)) return [JSON.parse(body)];
  const data = body.split('\n').filter((line) => line.startsWith('data: ') && line !== 'data: [DONE]');
  return data.map((line) => JSON.parse(line.slice('data: '.length)) as unknown);
}
