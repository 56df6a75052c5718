import type { JsonObject } from '../../contract/json.js';
import type { LossWarning } from '../../contract/provider.js';
import { differencesOf, openAICompatibleSettings } from './openai-compatible.config.js';
import { adaptChat } from './openai-compatible.request.js';

const MESSAGES = [
  { role: 'developer', content: 'Be brief.' },
  { role: 'user', content: 'Hi' },
];

function adapt(settings: object, body: JsonObject): { body: JsonObject; warnings: LossWarning[] } {
  const warnings: LossWarning[] = [];
  const parsed = openAICompatibleSettings.parse({ baseUrl: 'https://llm.example/v1', ...settings });
  return { body: adaptChat(body, differencesOf(parsed), (warning) => void warnings.push(warning)), warnings };
}

describe('adaptChat', () => {
  it('O09: calls the bound of tokens what the server calls it, where that is declared', () => {
    const bound = (maxTokensField: string | undefined, body: JsonObject): JsonObject =>
      adapt({ maxTokensField }, body).body;
    expect(bound('max_tokens', { max_completion_tokens: 5 })).toEqual({ max_tokens: 5 });
    expect(bound('max_completion_tokens', { max_tokens: 5 })).toEqual({ max_completion_tokens: 5 });
    expect(bound(undefined, { max_tokens: 5 })).toEqual({ max_tokens: 5 });
    expect(bound('max_tokens', { max_tokens: 5, max_completion_tokens: null })).toEqual({ max_tokens: 5 });
  });

  it.each([
    ['max_tokens', { max_tokens: 7 }],
    ['max_completion_tokens', { max_completion_tokens: 7 }],
  ])('O09: of two bounds the newer word stands, as %s', (maxTokensField, expected) => {
    expect(adapt({ maxTokensField }, { max_tokens: 5, max_completion_tokens: 7 }).body).toEqual(expected);
  });

  it('O16: calls instructions what the server calls them, in place', () => {
    const roles = (systemRole: string | undefined): unknown =>
      (adapt({ systemRole }, { messages: MESSAGES }).body['messages'] as { role: string }[]).map(({ role }) => role);
    expect(roles('system')).toEqual(['system', 'user']);
    expect(roles('developer')).toEqual(['developer', 'user']);
    expect(roles(undefined)).toEqual(['developer', 'user']);
  });

  it('keeps usage from being asked for, and gives the seed its name, where that is declared', () => {
    const body = { stream: true, stream_options: { include_usage: true }, seed: 7 };
    expect(adapt({ preset: 'mistral' }, body).body).toEqual({ stream: true, random_seed: 7 });
    expect(adapt({ preset: 'mistral', streamUsage: true, seedField: 'seed' }, body).body).toEqual(body);
  });

  it('takes out what the server cannot do, and says so', () => {
    const unsupported = ['seed', 'logprobs', 'n', 'user', 'stop', 'tool_choice', 'logit_bias', 'reasoning_effort'];
    const body = {
      seed: 0,
      logprobs: true,
      top_logprobs: 2,
      n: 2,
      user: 'u',
      stop: ['a'],
      tool_choice: 'required',
      logit_bias: { '1': 2 },
      reasoning_effort: 'low',
      temperature: 0,
    };
    const { body: sent, warnings } = adapt({ unsupported }, body);
    expect(sent).toEqual({ temperature: 0 });
    expect(warnings.map(({ field, kind }) => [field, kind])).toEqual(
      ['seed', 'logprobs', 'choices', 'endUser', 'stop', 'toolChoice', 'logitBias', 'reasoningEffort'].map((field) => [
        field,
        'dropped',
      ]),
    );
  });

  it('says nothing of values that ask for no more than a server does anyway', () => {
    const unsupported = ['n', 'logprobs', 'parallel_tool_calls', 'service_tier', 'presence_penalty', 'tool_choice'];
    const idle = {
      n: 1,
      logprobs: false,
      parallel_tool_calls: true,
      service_tier: 'auto',
      presence_penalty: 0,
      tool_choice: 'auto',
      seed: null,
    };
    expect(adapt({ unsupported: [...unsupported, 'seed'] }, idle)).toEqual({ body: { seed: null }, warnings: [] });
  });

  it('asks for any JSON where the server has no schemas, and for text where it has no JSON', () => {
    const schema = { type: 'json_schema', json_schema: { name: 'n', schema: {} } };
    expect(adapt({ unsupported: ['json_schema'] }, { response_format: schema })).toMatchObject({
      body: { response_format: { type: 'json_object' } },
      warnings: [{ field: 'responseFormat', kind: 'approximated' }],
    });
    const neither = adapt({ unsupported: ['json_schema', 'json_object'] }, { response_format: schema });
    expect(neither.body).toEqual({});
    expect(neither.warnings.map(({ kind }) => kind)).toEqual(['approximated', 'dropped']);
    expect(adapt({ unsupported: ['json_schema'] }, { response_format: { type: 'json_object' } })).toEqual({
      body: { response_format: { type: 'json_object' } },
      warnings: [],
    });
  });

  it('leaves the caller’s own body as it was, and unknown fields in the new one', () => {
    const body = Object.freeze({ messages: Object.freeze(MESSAGES.map((message) => Object.freeze(message))) });
    const unknown = { ...body, documents: [{ id: 1 }], transforms: ['middle-out'] } as unknown as JsonObject;
    const { body: sent } = adapt({ preset: 'deepseek' }, Object.freeze(unknown));
    expect(sent).toMatchObject({ documents: [{ id: 1 }], transforms: ['middle-out'] });
    expect(MESSAGES[0]?.role).toBe('developer');
  });
});
