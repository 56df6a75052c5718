import type { FuzzRoute } from './fuzz-run.ts';

const MODELS = ['single', 'sandbox', 'gemini', 'bedrock'] as const;

const parameters = {
  type: 'object',
  properties: { place: { type: 'string', enum: ['a', 'b'] }, days: { type: 'integer', minimum: 1 }, $defs: { a: {} } },
  required: ['place'],
  additionalProperties: false,
};
const tools = [{ type: 'function', function: { name: 'weather', description: 'Tells it.', parameters, strict: true } }];

/** Valid chat bodies that use most of what the dialect has. */
function chatSeeds(model: string): unknown[] {
  const ask = { role: 'user', content: 'Say hello.' };
  return [
    { model, messages: [ask] },
    {
      model,
      messages: [{ role: 'system', content: 'Be brief.' }, ask],
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0.5,
      top_p: 0.9,
      max_tokens: 50,
      stop: ['a', 'b'],
      seed: 7,
      n: 1,
      user: 'someone',
      metadata: { a: 'b' },
    },
    {
      model,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is it?' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'low' } },
            { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERg==' } },
          ],
        },
      ],
      max_completion_tokens: 20,
      reasoning_effort: 'low',
    },
    {
      model,
      messages: [
        ask,
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"place":"a"}' } }],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'Rain.' },
      ],
      tools,
      tool_choice: { type: 'function', function: { name: 'weather' } },
      parallel_tool_calls: false,
    },
    {
      model,
      messages: [ask],
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: parameters, strict: true } },
      logprobs: true,
      top_logprobs: 2,
      logit_bias: { '50256': -100 },
      stream: true,
    },
  ];
}

const chat = MODELS.flatMap(chatSeeds);

/** Every route that takes a body; a test sees to it that none is missing. */
export const FUZZ_ROUTES: readonly FuzzRoute[] = [
  { path: '/v1/chat/completions', seeds: chat },
  { path: '/openai/v1/chat/completions', seeds: chat },
  { path: '/openai/deployments/single/chat/completions?api-version=2024-10-21', seeds: chatSeeds('single') },
  {
    path: '/v1/embeddings',
    seeds: [
      { model: 'embed', input: 'Hello' },
      { model: 'embed', input: ['Hello', 'you'], dimensions: 8, encoding_format: 'base64', user: 'someone' },
      { model: 'embed', input: [1, 2, 3] },
      { model: 'embed', input: [[1, 2], [3]], encoding_format: 'float' },
    ],
  },
  { path: '/openai/v1/embeddings', seeds: [{ model: 'embed', input: ['Hello', 'you'] }] },
  {
    path: '/openai/deployments/embed/embeddings?api-version=2024-10-21',
    seeds: [{ input: ['Hello', 'you'] }],
  },
];
