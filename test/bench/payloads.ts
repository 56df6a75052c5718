/** The question of every call: about 1.2 kB as an OpenAI body. */
export const SYSTEM_TEXT =
  'You are the assistant of a help desk. Answer in two or three short sentences, in the language of the question. ' +
  'Say so when you do not know. Never invent order numbers, prices or dates, and refer to the hand book where it helps.';

export const USER_TEXT =
  'A colleague has moved to another building and asks how her desk phone, her badge and her parking permit follow her. ' +
  'The badge still opens the old doors but none of the new ones, the phone rings on the old desk, and the permit names ' +
  'the old car park. She has already written to the reception, which answered that it is in charge of visitors only, ' +
  'and to the facility team, which has not answered for three days. She would like to know whom to ask for each of the ' +
  'three, how long each usually takes, and whether she may keep using the old car park until the new permit has come. ' +
  'Please answer as a list with one line for each of the three, and add a last line that says what she should do first.';

/** The answer of every call: about 0.3 kB of text. */
export const ANSWER_TEXT =
  'Badge: ask the security desk of the new building, usually one working day. Phone: open a ticket with the telephony ' +
  'team, two days. Parking: ask the facility team by form, up to a week; the old permit stays valid until then. ' +
  'First: go to the security desk with your badge.';

export const PROMPT_TOKENS = 240;
export const COMPLETION_TOKENS = 72;

/** An OpenAI chat body for a model. */
export function chatBody(model: string, stream: boolean): string {
  return JSON.stringify({
    model,
    messages: [
      { role: 'system', content: SYSTEM_TEXT },
      { role: 'user', content: USER_TEXT },
    ],
    temperature: 0.2,
    max_tokens: 256,
    ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
  });
}

const SAFE = { filtered: false, severity: 'safe' };
const FILTERS = { hate: SAFE, self_harm: SAFE, sexual: SAFE, violence: SAFE };
const MODEL = 'gpt-4o-2024-11-20';
const ID = 'chatcmpl-BenchBenchBenchBenchBenchBe';
const CREATED = 1_760_000_000;
const USAGE = {
  completion_tokens: COMPLETION_TOKENS,
  prompt_tokens: PROMPT_TOKENS,
  total_tokens: PROMPT_TOKENS + COMPLETION_TOKENS,
};

/** A whole answer as Azure OpenAI gives it, 0.9 kB with its filter results. */
export const AZURE_ANSWER = JSON.stringify({
  choices: [
    {
      content_filter_results: FILTERS,
      finish_reason: 'stop',
      index: 0,
      logprobs: null,
      message: { content: ANSWER_TEXT, refusal: null, role: 'assistant' },
    },
  ],
  created: CREATED,
  id: ID,
  model: MODEL,
  object: 'chat.completion',
  system_fingerprint: 'fp_ee1d74bde0',
  usage: USAGE,
});

/** A whole answer as Bedrock's Converse gives it. */
export const CONVERSE_ANSWER = JSON.stringify({
  metrics: { latencyMs: 512 },
  output: { message: { content: [{ text: ANSWER_TEXT }], role: 'assistant' } },
  stopReason: 'end_turn',
  usage: {
    inputTokens: PROMPT_TOKENS,
    outputTokens: COMPLETION_TOKENS,
    totalTokens: PROMPT_TOKENS + COMPLETION_TOKENS,
  },
});

/** A whole answer as the Gemini API gives it. */
export const GEMINI_ANSWER = JSON.stringify({
  candidates: [
    {
      content: { parts: [{ text: ANSWER_TEXT }], role: 'model' },
      finishReason: 'STOP',
      index: 0,
    },
  ],
  usageMetadata: {
    promptTokenCount: PROMPT_TOKENS,
    candidatesTokenCount: COMPLETION_TOKENS,
    totalTokenCount: PROMPT_TOKENS + COMPLETION_TOKENS,
  },
  modelVersion: 'gemini-2.5-flash',
  responseId: 'bench',
});

/** A whole answer as Anthropic's Messages API gives it. */
export const MESSAGES_ANSWER = JSON.stringify({
  id: 'msg_bench',
  type: 'message',
  role: 'assistant',
  model: 'claude-3-5-haiku-20241022',
  content: [{ type: 'text', text: ANSWER_TEXT }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: PROMPT_TOKENS, output_tokens: COMPLETION_TOKENS },
});

const chunk = (fields: object): string =>
  `data: ${JSON.stringify({
    choices: [],
    created: CREATED,
    id: ID,
    model: MODEL,
    object: 'chat.completion.chunk',
    system_fingerprint: 'fp_ee1d74bde0',
    ...fields,
  })}\n\n`;

const delta = (content: string, finishReason: string | null): string =>
  chunk({
    choices: [
      { content_filter_results: FILTERS, delta: { content }, finish_reason: finishReason, index: 0, logprobs: null },
    ],
    usage: null,
  });

/** What an Azure stream begins with: the filter's verdict on the prompt, and no choice. */
export const STREAM_START = chunk({ prompt_filter_results: [{ prompt_index: 0, content_filter_results: FILTERS }] });
/** One piece of a streamed answer. */
export const STREAM_CHUNK = delta(' badge', null);
/** What a stream ends with: finish, usage, the terminal mark. */
export const STREAM_END = `${delta('', 'stop')}${chunk({ usage: USAGE })}data: [DONE]\n\n`;
