import { SseSplitter } from '../../transport/sse-splitter.js';
import { ChunkMender } from './openai-compatible.stream.js';

/** The events of a stream as a client parses them, and whether their bytes stayed. */
function mend(...chunks: readonly object[]): { value: Record<string, unknown>; isSame: boolean }[] {
  const mender = new ChunkMender();
  const splitter = new SseSplitter(100_000);
  return chunks.flatMap((chunk) =>
    splitter.push(Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`)).map((event) => {
      const bytes = mender.bytes(event);
      const value = JSON.parse(bytes.toString().slice('data: '.length)) as Record<string, unknown>;
      return { value, isSame: bytes === event.raw || bytes.equals(event.raw) };
    }),
  );
}

function chunk(delta: object, more: object = {}): object {
  return { id: 'c1', choices: [{ index: 0, delta, finish_reason: null }], ...more };
}

function calls(...deltas: readonly object[]): unknown[] {
  return mend(...deltas.map((call) => chunk({ tool_calls: [call] }))).map(
    ({ value }) => (value['choices'] as { delta: { tool_calls: unknown[] } }[])[0]?.delta.tool_calls[0],
  );
}

describe('ChunkMender', () => {
  it('O06: passes events it has nothing to add to byte for byte, unknown fields included', () => {
    const whole = [
      chunk({ content: 'Hi' }, { obfuscation: 'x1', usage: null, system_fingerprint: null }),
      chunk({ tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '{}' } }] }),
      { id: 'c1', choices: [], usage: { prompt_tokens: 1 } },
      { error: { message: 'x' } },
    ];
    expect(mend(...whole).map(({ isSame }) => isSame)).toEqual(whole.map(() => true));
  });

  it('O19: gives a call without id one, once, and the type it lacks', () => {
    const first = { index: 0, function: { name: 'f', arguments: '' } };
    const next = { index: 0, id: '', function: { arguments: '{}' } };
    expect(calls(first, next)).toEqual([
      { index: 0, id: 'call_c1_0_0', type: 'function', function: { name: 'f', arguments: '' } },
      { index: 0, function: { arguments: '{}' } },
    ]);
  });

  it('O18: numbers calls that come whole without an index, or all under the same one', () => {
    const call = (name: string, more: object): object => ({ ...more, function: { name, arguments: '{}' } });
    const numbers = (...all: object[]): unknown[] => calls(...all).map((told) => (told as { index: number }).index);
    expect(numbers(call('f', { id: 'a' }), call('g', { id: 'b' }))).toEqual([0, 1]);
    expect(numbers(call('f', {}), call('g', {}), { function: { arguments: ' ' } })).toEqual([0, 1, 1]);
    expect(numbers(call('f', { index: 0, id: 'a' }), call('g', { index: 0, id: 'b' }))).toEqual([0, 1]);
    expect(numbers(call('f', { index: 0, id: 'a' }), call('', { index: 0, id: 'a' }))).toEqual([0, 0]);
  });

  it('says the finish reason where a server leaves it out, and the usage where Groq tells it', () => {
    const [open] = mend({ id: 'c1', choices: [{ index: 0, delta: { content: 'a' } }] });
    expect(open?.value).toMatchObject({ choices: [{ finish_reason: null, delta: { content: 'a' } }] });
    const usage = { prompt_tokens: 1, completion_tokens: 2 };
    const [last] = mend(chunk({}, { x_groq: { id: 'r', usage } }));
    expect(last?.value).toMatchObject({ usage, x_groq: { usage } });
  });

  it('makes a text of content in parts', () => {
    const content = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] },
      { type: 'text', text: 'Hi' },
    ];
    const [mended] = mend(chunk({ content }));
    expect(mended?.value).toMatchObject({ choices: [{ delta: { content: 'Hi', reasoning_content: 'Hm' } }] });
  });
});
