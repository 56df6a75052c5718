import type { Capabilities } from '../contract/capabilities.ts';
import type { AnswerFeature, Feature } from '../contract/provider-harness.ts';

/** What each feature of a request means to a caller, in the order of the table. */
const FEATURES = {
  'image-data': 'image, inline',
  'image-url': 'image, by address',
  'audio-data': 'sound, inline',
  'file-data': 'PDF, inline',
  'file-url': 'PDF, by address',
  citations: 'citations of a file',
  'tool-choice': 'a named tool',
  'parallel-tool-calls': 'at most one tool call',
  'strict-tools': 'tools followed exactly',
  'tool-result-image': 'image as a result',
  'tool-error': 'result of a failed tool',
  'json-object': 'any JSON object',
  'json-schema': 'JSON by a schema',
  'late-system': 'instructions between turns',
  cache: 'cache breakpoints',
  'reasoning-effort': 'reasoning effort',
  'reasoning-budget': 'reasoning budget',
  stop: 'stop sequences',
  seed: 'seed',
  penalties: 'penalties',
  choices: 'several choices',
  logprobs: 'log probabilities',
  'logit-bias': 'bias of tokens',
  'service-tier': 'service tier',
  'end-user': 'id of the end user',
} as const satisfies Readonly<Record<Feature, string>>;

const ANSWERS = {
  reasoning: 'reasoning apart from the text',
  refusal: 'refusal apart from the text',
  'cached-usage': 'tokens read from a cache',
  'cache-write-usage': 'tokens written to a cache',
  'reasoning-usage': 'tokens of reasoning',
} as const satisfies Readonly<Record<AnswerFeature, string>>;

const yes = (is: boolean): string => (is ? 'yes' : 'no');

/** What the suite holds every kind to, as tables; each cell is a test of `test/contract`, or two where it names both modes. */
export function capabilityTables(columns: readonly Capabilities[]): string {
  const table = (first: readonly string[], rows: readonly string[]): string => {
    const heads = columns.map(({ kind, of }) => (of === undefined ? `\`${kind}\`` : `\`${kind}\`, ${of}`));
    const all = [...first, ...heads];
    return ['<!-- prettier-ignore -->', `| ${all.join(' | ')} |`, `|${all.map(() => ' --- |').join('')}`, ...rows].join(
      '\n',
    );
  };
  const row = (cells: readonly string[], cell: (column: Capabilities) => string): string =>
    `| ${[...cells, ...columns.map(cell)].join(' | ')} |`;
  const both = (meaning: string, cell: (column: Capabilities) => string): string[] =>
    ['whole', 'stream'].map((mode) => row([meaning, mode], cell));
  const support = (feature: Feature, { native, emulated }: Capabilities): string =>
    native.includes(feature) ? 'yes' : emulated.includes(feature) ? 'emulated' : 'no';
  const abilities = [
    row(['chat'], () => 'yes'),
    row(['embeddings'], ({ embeddings }) => yes(embeddings)),
    row(['token count'], ({ tokenCount }) => yes(tokenCount)),
    row(['bodies forwarded as they came'], ({ dialects }) => dialects.map((name) => `\`${name}\``).join(', ') || 'no'),
    row(['when the caller goes'], ({ onDisconnect }) => onDisconnect),
  ];
  const requests = Object.entries(FEATURES).flatMap(([feature, meaning]) =>
    both(meaning, (column) => support(feature as Feature, column)),
  );
  const answers = Object.entries(ANSWERS).flatMap(([feature, meaning]) =>
    both(meaning, (column) => yes(column.answers.includes(feature as AnswerFeature))),
  );
  return [
    '## Abilities',
    table(['ability'], abilities),
    '## What a request may ask for',
    table(['feature', 'answer'], requests),
    '## What an answer tells',
    table(['what', 'answer'], answers),
  ].join('\n\n');
}
