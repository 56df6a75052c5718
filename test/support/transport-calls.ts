import type { ByteSource } from '../../src/contract/byte-source.js';
import type { UpstreamRequest } from '../../src/transport/upstream.js';
import { FakeUpstream } from './fake-upstream.ts';
import type { WireAnswer } from './fake-wire.ts';
import { contextOf, type ContextOptions } from './provider-context.ts';

/** An upstream that says hello to everything it has no script for. */
export class PlainUpstream extends FakeUpstream {
  protected answer(): WireAnswer {
    return { status: 200, headers: { 'content-type': 'text/plain' }, pieces: [Buffer.from('hello')] };
  }

  protected modelOf(): undefined {
    return undefined;
  }
}

/** A stream of five words. */
export const FIVE_WORDS: WireAnswer = {
  status: 200,
  headers: { 'content-type': 'text/event-stream' },
  pieces: ['one ', 'two ', 'three ', 'four ', 'five'].map((text) => Buffer.from(text)),
};

/** A request with generous timeouts unless given otherwise. */
export function requestTo(url: string, options: ContextOptions = {}): UpstreamRequest {
  return { method: 'POST', url, headers: { 'x-a': 'b' }, body: '{"a":1}', context: contextOf(options) };
}

export interface Heard {
  readonly text: string;
  /** The code of the error the source ended with; absent = it ended well. */
  readonly error?: string;
}

/** Reads a source to its end. */
export function drain(source: ByteSource): Promise<Heard> {
  return new Promise((resolve) => {
    let text = '';
    source.start({
      data: (chunk) => {
        text += chunk.toString();
        return true;
      },
      end: () => resolve({ text }),
      error: ({ code }) => resolve({ text, error: code }),
    });
  });
}

/** The code a promise rejects with; 'resolved' when it does not, and what it was when it is no GatewayError. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'resolved',
    (error: unknown) =>
      error instanceof Error && error.name === 'GatewayError' && 'code' in error
        ? String(error.code)
        : `foreign: ${String(error)}`,
  );
}
