import { FAKE_ANTHROPIC_KEY, FakeAnthropic } from './fake-anthropic.ts';
import { FAKE_GEMINI_KEY, FakeGemini } from './fake-gemini.ts';
import { FAKE_GOOGLE_TOKEN } from './fake-google-tokens.ts';
import { replyUsage, type FakeRecord, type Reply, type Script } from './fake-upstream.ts';
import type { WireAnswer } from './fake-wire.ts';

const PATH =
  /^\/v1(?:beta1)?\/projects\/[^/]+\/locations\/[^/]+\/publishers\/(google|anthropic)\/models\/([^/:]+):([A-Za-z]+)(\?.*)?$/;

function isAuthorized({ headers }: FakeRecord): boolean {
  const { authorization = '' } = headers;
  return authorization.startsWith(`Bearer ${FAKE_GOOGLE_TOKEN}`) && !headers['x-goog-api-key'];
}

function json(status: number, body: unknown): WireAnswer {
  const headers = { 'content-type': 'application/json; charset=UTF-8' };
  return { status, headers, pieces: [Buffer.from(JSON.stringify(body))] };
}

function refused(status: number, name: string): WireAnswer {
  return json(status, { error: { code: status, message: `The request failed: ${name}.`, status: name } });
}

function predictions(reply: Reply, body: unknown): WireAnswer {
  const { instances = [] } = body as { instances?: unknown[] };
  const vectors = reply.vectors ?? instances.map((_, index) => [index + 0.25, -0.5, 0.125]);
  const statistics = { token_count: replyUsage(reply)?.promptTokens ?? 0, truncated: false };
  return json(200, { predictions: vectors.map((values) => ({ embeddings: { values, statistics } })) });
}

/** The cloud's own models at Vertex AI: what the Gemini API says, under other paths and with a bearer token. */
export class FakeVertex extends FakeGemini {
  protected override modelOf(path: string): string | undefined {
    return PATH.exec(path)?.[2];
  }

  protected override answer(record: FakeRecord, script: Script): WireAnswer {
    if (!isAuthorized(record)) return refused(401, 'UNAUTHENTICATED');
    const [, publisher, model, method, query = ''] = PATH.exec(record.path) ?? [];
    if (publisher !== 'google') return refused(404, 'NOT_FOUND');
    if (method === 'predict' && script.failure === undefined) return predictions(script.reply ?? {}, record.json);
    const path = `/v1beta/models/${model}:${method === 'predict' ? 'embedContent' : method}${query}`;
    return super.answer({ ...record, path, headers: { 'x-goog-api-key': FAKE_GEMINI_KEY } }, script);
  }
}

/** Claude at Vertex AI: the Messages API inside rawPredict, its version in the body and its model in the path. */
export class FakeVertexClaude extends FakeAnthropic {
  protected override modelOf(path: string): string | undefined {
    return PATH.exec(path)?.[2];
  }

  protected override answer(record: FakeRecord, script: Script): WireAnswer {
    if (!isAuthorized(record)) return refused(401, 'UNAUTHENTICATED');
    const [, publisher, model, method] = PATH.exec(record.path) ?? [];
    const body = record.json as { anthropic_version?: string; model?: string; stream?: boolean } | undefined;
    // The project is one: embeddings are asked of its other models.
    if (method === 'predict')
      return script.failure ? refused(script.failure.status, 'FAILED') : predictions(script.reply ?? {}, body);
    if (publisher !== 'anthropic' || body === undefined) return refused(404, 'NOT_FOUND');
    const isCount = model === 'count-tokens';
    const isAsked =
      isCount === (body.model !== undefined) && (method === 'streamRawPredict') === (body.stream === true);
    if (body.anthropic_version !== 'vertex-2023-10-16' || !isAsked) return refused(400, 'INVALID_ARGUMENT');
    const path = isCount ? '/v1/messages/count_tokens' : '/v1/messages';
    const headers = { 'x-api-key': FAKE_ANTHROPIC_KEY, 'anthropic-version': '2023-06-01' };
    return super.answer({ ...record, path, headers }, script);
  }
}
