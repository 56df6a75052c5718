import fc from 'fast-check';
import { piecesOf, promptTokens, textTokens } from './sandbox.tokens.js';

describe('piecesOf', () => {
  it('makes pieces of at most 4 bytes that join to the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        const pieces = piecesOf(text);
        expect(pieces.join('')).toBe(text);
        for (const piece of pieces) {
          expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(4);
          expect(piece.isWellFormed()).toBe(true);
        }
      }),
    );
  });

  it('counts ASCII as the prompt is counted', () => {
    for (const text of ['', 'a', 'abcd', 'abcde', 'x'.repeat(4_001)])
      expect(piecesOf(text)).toHaveLength(textTokens(text));
  });
});

describe('promptTokens', () => {
  it('counts text, calls, media and tool definitions', () => {
    const source = { type: 'base64', mediaType: 'image/png', data: 'AAAA' } as const;
    const tokens = promptTokens({
      messages: [
        { role: 'system', content: [{ type: 'text', text: '12345' }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'äöü' },
            { type: 'image', source },
          ],
        },
        { role: 'assistant', content: [{ type: 'tool-call', id: 'c', name: 'list', arguments: '{}' }] },
      ],
      tools: [{ name: 'list' }],
    });
    expect(tokens).toBe(2 + 2 + 85 + 1 + 1 + Math.ceil('{"name":"list"}'.length / 4));
  });

  it('is at least 1', () => {
    expect(promptTokens({ messages: [] })).toBe(1);
  });
});
