import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRecord, type JsonRecord, type Recording, type ReplayEvent } from './recording.ts';

type Bare = Pick<Recording, 'call' | 'model' | 'request' | 'status' | 'headers' | 'bytes' | 'body' | 'events'>;

const REQUEST = { messages: [{ role: 'user', content: 'Hello' }] };

/** A chat completion kept without its exchange: nobody knows what was asked, so anything may be. */
export function bareAnswer(parsed: JsonRecord): Bare | undefined {
  if (parsed['object'] !== 'chat.completion') return undefined;
  return {
    call: 'chat',
    model: modelOf(parsed),
    request: REQUEST,
    status: 200,
    headers: { 'content-type': 'application/json' },
    bytes: Buffer.from(JSON.stringify(parsed)),
    body: parsed as Recording['request'],
  };
}

/** The events of a chat completion stream kept one a line, put into a stream again, without the mark they came with. */
export function bareStream(folder: string, file: string): Bare | undefined {
  const lines = readFileSync(join(folder, file), 'utf8').split('\n');
  const payloads = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as JsonRecord);
  if (payloads.length === 0 || payloads.some(({ object }) => object !== 'chat.completion.chunk')) return undefined;
  const events: ReplayEvent[] = payloads.map((payload) => ({ name: '', payload }));
  return {
    call: 'chat-stream',
    model: modelOf(payloads[0]),
    request: REQUEST,
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    bytes: Buffer.from(payloads.map((payload) => `data: ${JSON.stringify(payload)}\n\n`).join('')),
    events,
  };
}

function modelOf(value: unknown): string {
  const model = isRecord(value) ? value['model'] : undefined;
  return typeof model === 'string' && model !== '' ? model : 'model';
}
