import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { differences, type Answer } from './compare.ts';
import type { Expected } from './expect.ts';
import { loadRecordings, type Recording } from './recording.ts';
import { replay } from './replay.ts';

const MAIN = join(__dirname, 'main.ts');

describe('a replay', () => {
  const folder = loadRecordings(join(__dirname, 'fixtures'));

  it('takes what is in scope and says why it leaves out the rest', () => {
    expect(folder.recordings).toHaveLength(43);
    expect(
      Object.fromEntries([...folder.excluded].map(([key, reasons]) => [key, Object.fromEntries(reasons)])),
    ).toEqual({
      anthropic: { 'count-tokens has no route': 1 },
      azure: { 'no request': 1, 'responses is not in scope': 1 },
      bedrock: { 'text InvokeModel is not in scope': 1 },
      elsewhere: { 'provider is not in scope': 1 },
    });
  });

  it('finds every answer as recorded, and a lie where there is one', async () => {
    const lies = folder.recordings
      .filter(({ name }) => ['gemini/stream', 'bedrock/tool-result'].includes(name))
      .map((recording) => ({ ...recording, name: `${recording.name} altered`, bytes: altered(recording.bytes) }));
    const report = await replay({ ...folder, recordings: [...folder.recordings, ...lies] });
    const failed = [...report.values()].flatMap(({ failures }) => failures);
    expect(failed.map(({ name }) => name)).toEqual(['bedrock/tool-result altered', 'gemini/stream altered']);
    expect([...report].map(([provider, { replayed, ok }]) => [provider, replayed, ok])).toEqual([
      ['anthropic', 7, 7],
      ['azure', 6, 6],
      ['bedrock', 11, 10],
      ['compat-local', 4, 4],
      ['elsewhere', 0, 0],
      ['gemini', 11, 10],
      ['openai', 3, 3],
      ['vertex', 3, 3],
    ]);
  });

  it('serves an error whose recorder lost the status with the status in its body', () => {
    const filtered = folder.recordings.find(({ name }) => name === 'azure/prompt-filtered') as Recording;
    expect(filtered.status).toBe(400);
  });
});

function altered(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  for (const [told, lie] of [
    ['Grüezi', 'Guten '],
    ['degrees', 'Kelvins'],
  ] as const) {
    const at = copy.indexOf(told);
    if (at >= 0) copy.write(lie, at);
  }
  return copy;
}

const CHAT: Expected = {
  type: 'chat',
  text: 'a',
  reasoning: 'b',
  calls: [{ name: 'f', arguments: { n: 1 } }],
  finishReason: 'tool_calls',
  usage: { prompt: 1, completion: 2, total: 3, cached: 1, reasoning: 1 },
};
const SAME: Answer = {
  type: 'chat',
  text: 'a',
  reasoning: 'b',
  calls: [{ id: 'call_1', name: 'f', arguments: '{"n": 1}' }],
  finishReason: 'tool_calls',
  usage: { prompt: 1, completion: 2, total: 3, cached: 1, reasoning: 1 },
};

describe('differences', () => {
  it('are none between an answer and its recording', () => {
    expect(differences(CHAT, SAME)).toEqual([]);
  });

  it.each<[string, Partial<Answer>]>([
    ['another text', { text: 'b' }],
    ['a lost call', { calls: [] }],
    ['other arguments', { calls: [{ id: 'call_1', name: 'f', arguments: '{"n":2}' }] }],
    ['arguments that are no JSON', { calls: [{ id: 'call_1', name: 'f', arguments: '{"n"' }] }],
    ['a call without id', { calls: [{ id: '', name: 'f', arguments: '{"n":1}' }] }],
    ['a finish reason of nobody', { finishReason: 'end_turn' }],
    ['no finish reason', { finishReason: null }],
    ['other counts', { usage: { prompt: 1, completion: 2, total: 4, cached: 1, reasoning: 1 } }],
    ['other cached tokens', { usage: { prompt: 1, completion: 2, total: 3, cached: 0, reasoning: 1 } }],
    ['other reasoning tokens', { usage: { prompt: 1, completion: 2, total: 3, cached: 1, reasoning: 0 } }],
    ['lost reasoning', { reasoning: '' }],
    ["another of OpenAI's finish reasons", { finishReason: 'stop' }],
    ['no counts', { usage: undefined }],
  ])('are found in %s', (_name, changes) => {
    expect(differences(CHAT, { ...SAME, ...changes } as Answer)).toHaveLength(1);
  });

  it.each<[string, Expected, Answer]>([
    ['a refusal instead of an answer', CHAT, refusal({ status: 502, error: {} })],
    ['an answer instead of a refusal', { type: 'error', statuses: [400] }, SAME],
    ['another status', { type: 'error', statuses: [400] }, refusal({ status: 500 })],
    ['no envelope', { type: 'error', statuses: [400] }, refusal({ error: { message: 'x' } })],
    ['another message', { type: 'error', statuses: [400], shown: { message: 'y' } }, refusal({})],
    ['another param', { type: 'error', statuses: [400], shown: { message: 'x', param: 'n' } }, refusal({})],
    [
      'a lost innererror',
      { type: 'error', statuses: [400], shown: { message: 'x', innererror: { code: 'filtered' } } },
      refusal({}),
    ],
    ['words that are not for callers', { type: 'error', statuses: [400], hidden: 'x' }, refusal({})],
    ['a lost Retry-After', { type: 'error', statuses: [400], retryAfterSeconds: 7 }, refusal({})],
    ['another Retry-After', { type: 'error', statuses: [400], retryAfterSeconds: 7 }, refusal({ retryAfter: '8' })],
    [
      'another vector',
      { type: 'embeddings', vectors: [[0.5]] },
      { type: 'embeddings', vectors: [[0.25]], promptTokens: 0 },
    ],
    [
      'another count of a vector',
      { type: 'embeddings', vectors: [[0.5]], promptTokens: 2 },
      { type: 'embeddings', vectors: [[0.5]], promptTokens: 3 },
    ],
  ])('are found in %s', (_name, expected, answer) => {
    expect(differences(expected, answer)).toHaveLength(1);
  });
});

function refusal(changes: Partial<Extract<Answer, { type: 'error' }>>): Answer {
  const error = { message: 'x', type: 'invalid_request_error', param: null, code: null };
  return { type: 'error', status: 400, error, retryAfter: null, ...changes };
}

describe('the script', () => {
  function run(recorded: string | undefined): { status: number | null; output: string } {
    const { RECORDED: _recorded, SPECS: _specs, NODE_OPTIONS: _options, ...env } = process.env;
    const { status, stdout } = spawnSync(process.execPath, [MAIN], {
      env: recorded === undefined ? env : { ...env, RECORDED: recorded },
      encoding: 'utf8',
    });
    return { status, output: stdout };
  }

  it('says that it is skipped without recordings', () => {
    expect(run(undefined)).toEqual({
      status: 0,
      output: 'skipped: set RECORDED to a folder of recorded exchanges\n',
    });
  });

  it('replays one provider of a folder, and says that nothing is validated', () => {
    const { status, output } = run(join(__dirname, 'fixtures', 'compat-local'));
    expect({ status, output }).toEqual({
      status: 0,
      output: 'schema validation skipped: set SPECS\ncompat-local: replayed 4, ok 4, failed 0\n',
    });
  });

  it('fails when there is nothing to replay', () => {
    const empty = mkdtempSync(join(tmpdir(), 'tollgate-replay-'));
    try {
      expect(run(empty)).toMatchObject({ status: 1 });
    } finally {
      rmSync(empty, { recursive: true });
    }
  });
});
