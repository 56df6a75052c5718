import { call, chatBody, dataFields, freshModel, type Answer } from '../e2e/world.ts';
import { sseEvent } from '../support/fake-openai-wire.ts';
import { errorFrame, eventFrame, exceptionFrame, frame, withWrongChecksum } from '../support/fake-event-stream.ts';
import { geminiEvents } from '../support/fake-gemini.ts';
import type { Script } from '../support/fake-upstream.ts';
import type { Delivery, WireAnswer } from '../support/fake-wire.ts';
import { metricValue } from '../support/metric-value.ts';
import { inLanes } from './support/lanes.ts';
import { untilSettled } from './support/until-settled.ts';
import { LANES, startWideWorld, upstreamModel, type WideWorld } from './support/wide-world.ts';

const TEXT = 'Grüße 你好 👩‍🚀!';
const HALVES = ['Grüße 你', '好 👩‍🚀!'] as const;

const sse = (pieces: readonly Buffer[]): WireAnswer => ({
  status: 200,
  headers: { 'content-type': 'text/event-stream' },
  pieces,
  chunked: true,
});
const frames = (...pieces: readonly Buffer[]): WireAnswer => ({
  status: 200,
  headers: { 'content-type': 'application/vnd.amazon.eventstream' },
  pieces,
  chunked: true,
});

const azureChunk = (delta: object, finish: string | null = null) =>
  sseEvent({ choices: [{ index: 0, delta, finish_reason: finish }] });
const azureStream = [
  azureChunk({ role: 'assistant', content: HALVES[0] }),
  azureChunk({ content: HALVES[1] }, 'stop'),
  Buffer.from('data: [DONE]\n\n'),
];
const geminiEvent = (text: string, finishReason?: string) => ({
  candidates: [{ content: { parts: [{ text }], role: 'model' }, index: 0, finishReason }],
  usageMetadata: { promptTokenCount: 11, candidatesTokenCount: 7, totalTokenCount: 18 },
});
const geminiStream = geminiEvents([geminiEvent(HALVES[0]), geminiEvent(HALVES[1]), geminiEvent('', 'STOP')]);
const bedrockDelta = (text: string) => eventFrame('contentBlockDelta', { contentBlockIndex: 0, delta: { text } });
const bedrockStream = [
  eventFrame('messageStart', { role: 'assistant' }),
  bedrockDelta(HALVES[0]),
  bedrockDelta(HALVES[1]),
  eventFrame('messageStop', { stopReason: 'end_turn' }),
  eventFrame('metadata', { usage: { inputTokens: 11, outputTokens: 7, totalTokens: 18 } }),
];
const length = (pieces: readonly Buffer[]) => pieces.reduce((sum, piece) => sum + piece.length, 0);

/** What a streamed answer shows: its text, and how it ended. */
function read(answer: Answer): { text: string; isDone: boolean; error: string | undefined } {
  const fields = dataFields(answer.text);
  const isDone = fields.at(-1) === '[DONE]';
  let text = '';
  let error: string | undefined;
  for (const field of fields) {
    if (field === '[DONE]') continue;
    const event = JSON.parse(field) as {
      choices?: { delta?: { content?: string } }[];
      error?: { code: string; message: string };
    };
    text += event.choices?.[0]?.delta?.content ?? '';
    if (event.error !== undefined) {
      expect(error).toBeUndefined();
      expect(event.error.message).toEqual(expect.any(String));
      error = event.error.code;
    }
  }
  return { text, isDone, error };
}

describe('streams that break', () => {
  let world: WideWorld;
  beforeAll(async () => {
    world = await startWideWorld({ config: { transport: { maxResponseBytes: 1_048_576 } } });
  });
  afterAll(() => world.stop());
  beforeEach(() => {
    for (const upstream of [world.azure, world.second, world.gemini, world.bedrock]) upstream.reset();
  });

  const stream = (model: string) => call(world, { body: chatBody(model, { stream: true }) });

  const KINDS = [
    ['native', 'azure', azureStream],
    ['gemini', 'gemini', geminiStream],
    ['bedrock', 'bedrock', bedrockStream],
  ] as const;
  const laneOf = (kind: (typeof KINDS)[number][0], lane: number) =>
    kind === 'native'
      ? { model: `single-${lane}`, upstream: `gpt-a-s${lane}` }
      : { model: `${kind}-${lane}`, upstream: upstreamModel(kind, lane) };

  describe.each(KINDS)('%s', (kind, upstream, pieces) => {
    const wire = kind === 'bedrock' ? frames(...pieces) : sse(pieces);
    const whole = length(pieces);

    it.each([
      ['resetAfterBytes', 1],
      ['endAfterBytes', 2],
      ['closeAfterBytes', 3],
    ] as const)('%s at any byte: a prefix and an error, or the whole, and never both', async (way, step) => {
      const offsets = Array.from({ length: Math.floor(whole / step) + 1 }, (_, index) => index * step);
      offsets.push(whole);
      let complete = 0;
      await inLanes(offsets, LANES, async (offset, lane) => {
        const { model, upstream: name } = laneOf(kind, lane);
        const delivery: Delivery = { [way]: offset };
        world[upstream].forModel(name, { wire, delivery });
        const answer = await stream(model);
        expect(answer.wasCut).toBe(false);
        expect(answer.text).not.toContain('\uFFFD');
        if (answer.status !== 200) {
          expect(answer.json()).toMatchObject({ error: { code: expect.stringMatching(/^provider_/) } });
          return;
        }
        const { text, isDone, error } = read(answer);
        if (isDone) {
          complete += 1;
          expect({ offset, text, error }).toEqual({ offset, text: TEXT, error: undefined });
        } else {
          expect({ offset, error }).toEqual({ offset, error: 'provider_stream_broken' });
          expect(TEXT.startsWith(text)).toBe(true);
          expect(text.length).toBeGreaterThan(0);
        }
      });
      // Whole only where all had come that tells of the end: a mark, or the proper end of the bytes.
      if (kind === 'gemini' && way !== 'endAfterBytes') expect(complete).toBe(0);
      else expect(complete).toBeGreaterThan(0);
      expect(complete).toBeLessThan(offsets.length / 2);
    });

    it('written byte by byte it is what it is in one write', async () => {
      const name = kind === 'native' ? 'single' : kind;
      world[upstream].enqueue({ wire }, { wire, delivery: { writeBytes: 1 } });
      const [together, apart] = [await stream(name), await stream(name)];
      expect(read(apart)).toEqual({ text: TEXT, isDone: true, error: undefined });
      const withoutIds = (text: string) => text.replaceAll(/"(id|created)":("[^"]*"|\d+)/g, '');
      expect(withoutIds(apart.text)).toBe(withoutIds(together.text));
    });

    it('a failed answer leaves nothing reserved', () => untilSettled(world));
  });

  describe('events without end', () => {
    const endless = Buffer.alloc(20_000_000, 'x');
    it.each([
      ['native', 'azure', 'single', azureChunk({ content: 'Begun' })],
      ['gemini', 'gemini', 'gemini', geminiEvents([geminiEvent('Begun')])[0] ?? Buffer.alloc(0)],
    ] as const)(
      '%s: an event of 20 MB is cut at its cap, before and after content',
      async (_name, upstream, model, begun) => {
        const giant = Buffer.concat([Buffer.from('data: '), endless]);
        const slices = Array.from({ length: 200 }, (_, index) =>
          giant.subarray(index * 100_000, (index + 1) * 100_000),
        );
        const fresh = () => (model === 'single' ? freshModel('single') : model);

        world[upstream].enqueue({ wire: sse(slices), delivery: { gapMs: 0 } });
        const before = await stream(fresh());
        expect(before.status).toBe(502);
        expect(before.json()).toMatchObject({ error: { code: 'provider_stream_broken' } });

        world[upstream].enqueue({ wire: sse([begun, ...slices]), delivery: { gapMs: 0 } });
        const after = await stream(fresh());
        expect(read(after)).toEqual({ text: 'Begun', isDone: false, error: 'provider_stream_broken' });

        for (const record of world[upstream].records) {
          const { completed } = await record.closed;
          expect(completed).toBe(false);
        }
      },
    );

    it('a stream of nothing but comments is given up before it fills the memory', async () => {
      const comments = Array.from({ length: 400 }, () => Buffer.from(`: ${'x'.repeat(10_000)}\n\n`));
      world.azure.enqueue({ wire: sse([...comments, ...azureStream]), delivery: { gapMs: 0 } });
      const answer = await stream(freshModel('single'));
      expect(answer.status).toBe(502);
      expect((await world.azure.records[0]?.closed)?.completed).toBe(false);
    });

    it('a whole answer beyond its cap is a 502', async () => {
      world.azure.enqueue({ reply: { text: 'x'.repeat(2_000_000) } });
      const answer = await call(world, { body: chatBody(freshModel('single')) });
      expect(answer.status).toBe(502);
      expect(answer.json()).toMatchObject({ error: { code: 'provider_bad_response' } });
    });
  });

  it('a flood of tiny events on some streams starves no other, nor the probes', async () => {
    const tiny = azureChunk({ content: 'a' });
    const flood = Buffer.concat(Array.from({ length: 150_000 }, () => tiny));
    world.azure.defaultScript = { wire: sse([flood, ...azureStream.slice(1)]) };
    /** How many floods still ran when a paced stream and a probe had been answered in their midst. */
    const overtaken = async (): Promise<number> => {
      let flooding = 3;
      const before = world.azure.records.length;
      const floods = Array.from({ length: 3 }, async () => {
        const answer = await stream('single');
        flooding -= 1;
        return answer;
      });
      while (world.azure.records.length < before + 3) await new Promise((resolve) => setImmediate(resolve));
      world.azure.enqueue({ reply: { deltas: ['one ', 'two '] }, delivery: { gapMs: 5 } });
      const [paced, probe] = await Promise.all([stream('single'), fetch(`${world.gateway.metrics}/livez`)]);
      const left = flooding;
      expect(probe.status).toBe(200);
      expect(read(paced).isDone).toBe(true);
      for (const answer of await Promise.all(floods)) {
        expect(answer.text.split('"content":"a"')).toHaveLength(150_001);
      }
      return left;
    };
    // On a busy machine the client that reads the floods may be the slow one: whoever starves others does so each time.
    let left = await overtaken();
    for (let tries = 1; tries < 4 && left === 0; tries += 1) left = await overtaken();
    expect(left).toBeGreaterThan(0);
  }, 60_000);

  describe('data that is no JSON', () => {
    const nonsense = Buffer.from('data: {"choices":[{"index":0,"delta":{"content":"x"\n\n');

    it('in a dialect that is passed on is passed on, counted, and the stream goes on', async () => {
      const [first, ...rest] = azureStream;
      world.azure.enqueue({ wire: sse([first ?? nonsense, nonsense, ...rest]) });
      const answer = await stream(freshModel('single'));
      expect(answer.text).toContain(nonsense.toString());
      expect(dataFields(answer.text).at(-1)).toBe('[DONE]');
      const line = await world.gateway.accessLine(answer.requestId);
      expect(line).toMatchObject({ outcome: 'completed', malformed_events: 1 });
      expect(await metricValue(world.gateway.metrics, 'tollgate_malformed_events_total', 'provider="first"')).toBe(1);
    });

    it.each([
      ['gemini', geminiStream, nonsense],
      ['gemini', geminiStream, Buffer.from('data: [1,2]\r\n\r\n')],
      [
        'bedrock',
        bedrockStream,
        frame({ ':message-type': 'event', ':event-type': 'contentBlockDelta' }, Buffer.from('{"de')),
      ],
      [
        'bedrock',
        bedrockStream,
        frame({ ':message-type': 'event', ':event-type': 'contentBlockDelta' }, Buffer.from('[]')),
      ],
    ] as const)('%s: where it is translated it ends the stream with an error', async (model, pieces, bad) => {
      const bytes = [...pieces.slice(0, 2), bad, ...pieces.slice(2)];
      world[model].enqueue({ wire: model === 'gemini' ? sse(bytes) : frames(...bytes) });
      const { isDone, error, text } = read(await stream(model));
      expect({ isDone, error }).toEqual({ isDone: false, error: 'provider_bad_response' });
      expect(TEXT.startsWith(text)).toBe(true);
    });
  });

  describe('frames of an event stream', () => {
    const bad = bedrockDelta('never shown');
    const prelude = (total: number, headers = 0): Buffer => {
      const made = Buffer.from(frame({}, Buffer.alloc(0)));
      const template = frame({ a: 'b' }, Buffer.from('{}'));
      template.writeUInt32BE(total, 0);
      template.writeUInt32BE(headers, 4);
      return made.length > 0 ? template : made;
    };
    const CASES: readonly (readonly [string, Buffer, string])[] = [
      ['a wrong checksum of the prelude', withWrongChecksum(bad, 'prelude'), 'provider_stream_broken'],
      ['a wrong checksum of the message', withWrongChecksum(bad, 'message'), 'provider_stream_broken'],
      ['a length of 0', prelude(0), 'provider_stream_broken'],
      ['a length of 2^31', prelude(2 ** 31), 'provider_stream_broken'],
      ['a length of 15', prelude(15), 'provider_stream_broken'],
      ['headers longer than the frame', prelude(64, 4_096), 'provider_stream_broken'],
      ['a frame of 17 MiB', frame({}, Buffer.alloc(17 * 1_048_576)), 'provider_stream_broken'],
      ['a throttling exception', exceptionFrame('throttlingException', 'slow down'), 'provider_rate_limited'],
      ['a validation exception', exceptionFrame('validationException', 'no such option'), 'provider_rejected'],
      ['a timeout of the model', exceptionFrame('modelTimeoutException', 'too slow'), 'provider_timeout'],
      ['a failure of the model', exceptionFrame('modelStreamErrorException', 'secret-host'), 'provider_error'],
      ['an exception nobody knows', exceptionFrame('somethingNewException', 'secret-host'), 'provider_error'],
      ['an error frame', errorFrame('InternalFailure', 'secret-host'), 'provider_error'],
    ];
    const STATUS: Readonly<Record<string, number>> = {
      provider_stream_broken: 502,
      provider_rate_limited: 429,
      provider_rejected: 400,
      provider_timeout: 504,
      provider_error: 502,
    };

    it.each(CASES)('%s: its status before content, an event after it', async (_name, broken, code) => {
      const [start = broken, first = broken] = bedrockStream;
      // The same again for the second try that an error without content may get.
      world.bedrock.defaultScript = { wire: frames(start, broken) };
      const before = await stream('bedrock');
      expect(before.status).toBe(STATUS[code]);
      expect(before.json()).toMatchObject({ error: { code } });
      expect(before.text).not.toContain('secret-host');

      world.bedrock.defaultScript = { wire: frames(start, first, broken, ...bedrockStream.slice(2)) };
      const after = await stream('bedrock');
      expect(read(after)).toEqual({ text: HALVES[0], isDone: false, error: code });
      expect(after.text).not.toContain('secret-host');
    });

    it.each(CASES.filter(([, , code]) => code !== 'provider_rejected'))(
      '%s before content lets the next deployment answer',
      async (_name, broken) => {
        world.bedrock.enqueue({ wire: frames(bedrockStream[0] ?? broken, broken) });
        const answer = await stream('bedrock-then-azure');
        expect(read(answer)).toMatchObject({ text: 'Hello from the model.', isDone: true });
      },
    );

    it('a header of an unknown type is a broken stream, an event of an unknown kind is not', async () => {
      const unknown = eventFrame('somethingNew', { a: 1 });
      const initial = frame({ ':message-type': 'event', ':event-type': 'initial-response' }, Buffer.from('{}'));
      const [start = unknown, ...rest] = bedrockStream;
      world.bedrock.enqueue({ wire: frames(initial, start, unknown, ...rest) });
      expect(read(await stream('bedrock'))).toEqual({ text: TEXT, isDone: true, error: undefined });
    });
  });

  it('the same script through every fault leaves the gateway alive and nothing open', async () => {
    const script: Script = { reply: { deltas: ['still ', 'here'] } };
    world.azure.enqueue(script);
    expect(read(await stream(freshModel('single')))).toMatchObject({ text: 'still here', isDone: true });
    expect(world.gateway.process.exitCode).toBeNull();
    expect(world.gateway.logLines().filter(({ level }) => level === 'fatal')).toEqual([]);
    const failed = world.gateway.logLines().filter(({ error }) => error === 'internal_error');
    expect(failed).toEqual([]);
  });
});
