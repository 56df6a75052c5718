import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A test that shows a row: its file and words of its title. */
type Shown = readonly [file: string, title: string];

interface Row {
  readonly fault: string;
  readonly shown: readonly Shown[];
  /** What of the row must wait, and for what; absent = nothing. */
  readonly waits?: string;
}

const E2E = 'test/e2e';
const FAULTS = 'test/faults';

/** Every fault the gateway is beaten with, and where. */
const ROWS: Readonly<Record<string, Row>> = {
  F1: {
    fault: 'a client closes in the middle of a stream',
    shown: [[`${E2E}/client-gone.spec.ts`, 'in the middle of a stream closes the upstream within 100 ms']],
  },
  F2: {
    fault: 'a client closes after the terminal mark',
    shown: [[`${E2E}/client-gone.spec.ts`, 'after [DONE] changes nothing']],
  },
  F3: {
    fault: 'a client closes before the first byte',
    shown: [[`${E2E}/client-gone.spec.ts`, 'before the first byte closes the upstream']],
  },
  F5: {
    fault: 'a slow reader',
    shown: [[`${FAULTS}/clients.spec.ts`, 'a slow reader gets every event once and in order']],
  },
  F6: {
    fault: 'stalled readers',
    shown: [[`${FAULTS}/clients.spec.ts`, 'stalled readers are cut after the stall time']],
  },
  F7: {
    fault: 'a client resets while we write',
    shown: [[`${FAULTS}/clients.spec.ts`, 'resets while we write harm nobody else']],
  },
  F8: {
    fault: 'an upstream accepts and never answers',
    shown: [
      [`${FAULTS}/silence.spec.ts`, 'while nothing was sent the next deployment answers'],
      [`${FAULTS}/silence.spec.ts`, 'a whole answer is waited for until the total alone'],
    ],
  },
  F9: {
    fault: 'an upstream falls silent in its answer',
    shown: [[`${FAULTS}/silence.spec.ts`, 'after content was sent']],
  },
  F10: {
    fault: 'an upstream resets at any byte',
    shown: [
      [`${FAULTS}/broken-streams.spec.ts`, 'streams that break'],
      [`${E2E}/no-false-done.spec.ts`, 'never after %s at any byte of the stream'],
    ],
  },
  F11: {
    fault: 'an upstream ends cleanly but early',
    shown: [
      [`${E2E}/error-after-commit.spec.ts`, 'a clean but early end'],
      [`${E2E}/no-false-done.spec.ts`, 'endAfterBytes'],
    ],
  },
  F13: {
    fault: 'a stream split at every byte',
    shown: [
      [`${FAULTS}/broken-streams.spec.ts`, 'written byte by byte it is what it is in one write'],
      [`${E2E}/error-after-commit.spec.ts`, 'text split into writes of %d bytes arrives unharmed'],
    ],
  },
  F14: {
    fault: 'a giant event, a stream without events',
    shown: [[`${FAULTS}/broken-streams.spec.ts`, 'events without end']],
  },
  F15: {
    fault: 'a flood of tiny events',
    shown: [[`${FAULTS}/broken-streams.spec.ts`, 'a flood of tiny events on some streams starves no other']],
  },
  F16: { fault: 'data that is no JSON', shown: [[`${FAULTS}/broken-streams.spec.ts`, 'data that is no JSON']] },
  F17: {
    fault: 'broken event-stream frames',
    shown: [
      [`${FAULTS}/broken-streams.spec.ts`, 'frames of an event stream'],
      ['src/transport/event-stream.spec.ts', 'refuses every single flipped bit'],
    ],
  },
  F18: {
    fault: 'usage that is none',
    shown: [
      [`${FAULTS}/provider-answers.spec.ts`, 'as usage'],
      [`${FAULTS}/provider-answers.spec.ts`, 'no answer has given back more than was reserved'],
    ],
  },
  F20: {
    fault: 'refusals with Retry-After',
    shown: [
      [`${FAULTS}/provider-answers.spec.ts`, 'a deployment that limits requests is left alone for as long as it said'],
    ],
  },
  F36: {
    fault: 'SIGTERM under load',
    shown: [[`${E2E}/drain.spec.ts`, 'open streams end whole, readiness fails at once']],
  },
  F37: {
    fault: 'a second signal',
    shown: [
      [`${E2E}/drain.spec.ts`, 'a second signal hurries, and still settles'],
      [`${FAULTS}/process.spec.ts`, 'SIGINT after SIGTERM cuts what is open'],
    ],
  },
  F38: { fault: 'SIGTERM while the store is away', shown: [[`${FAULTS}/process.spec.ts`, "['dead', 'hanging']"]] },
  F40: {
    fault: 'kill -9 in the middle of requests',
    shown: [[`${FAULTS}/process.spec.ts`, 'kill -9: its clients see a cut, its leases end in time']],
    waits: 'holds of budgets come with billing',
  },
  F43: {
    fault: 'an uncaught exception or rejection',
    shown: [[`${FAULTS}/process.spec.ts`, 'a process that must end']],
  },
  F44: {
    fault: 'a configuration that breaks',
    shown: [
      [`${FAULTS}/reload.spec.ts`, 'a file that is gone changes nothing'],
      [`${FAULTS}/reload.spec.ts`, 'a swap of links'],
      ['src/config/yaml-document.spec.ts', 'alias'],
    ],
  },
  F45: {
    fault: 'a model removed in flight',
    shown: [[`${FAULTS}/reload.spec.ts`, 'a request in flight keeps what it began with']],
    waits: 'prices, and with them their versions, come with billing',
  },
  F46: {
    fault: 'a rotated or missing secret',
    shown: [
      [`${FAULTS}/reload.spec.ts`, 'a rotated secret is used by new requests'],
      [`${FAULTS}/reload.spec.ts`, 'file:not-there'],
    ],
  },
  F50: {
    fault: 'idle connections',
    shown: [[`${FAULTS}/connections.spec.ts`, 'a connection without a request is closed after the keep-alive time']],
  },
  F53: {
    fault: 'bodies that are too large or lie',
    shown: [
      [`${E2E}/no-body-for-strangers.spec.ts`, 'an endless chunked body is cut at the limit'],
      [`${FAULTS}/connections.spec.ts`, 'reserve nothing, nor does a body shorter than it said'],
    ],
  },
  F54: {
    fault: 'slow headers, slow bodies, idle crowds',
    shown: [
      [`${FAULTS}/connections.spec.ts`, 'a body that drips in is cut at the same time'],
      [`${FAULTS}/connections.spec.ts`, 'hundreds of idle and half-said connections'],
    ],
  },
  F55: {
    fault: 'headers beyond measure',
    shown: [[`${E2E}/no-body-for-strangers.spec.ts`, 'headers beyond 16 KiB are a 431']],
  },
  F56: {
    fault: 'deep nesting',
    shown: [[`${FAULTS}/bodies.spec.ts`, 'a nesting of %d is refused before it is parsed']],
  },
  F57: {
    fault: 'endless lists',
    shown: [['src/gateway/request/json-scan.spec.ts', 'refuses a list with too many entries']],
  },
  F58: { fault: 'a key twice', shown: [[`${FAULTS}/bodies.spec.ts`, 'what was checked is what is sent']] },
  F59: { fault: 'keys of the prototype', shown: [[`${FAULTS}/bodies.spec.ts`, 'keys of the prototype']] },
  F60: {
    fault: 'numbers that are none',
    shown: [[`${FAULTS}/bodies.spec.ts`, 'several choices reserve as many answers']],
  },
  F62: {
    fault: 'types and encodings',
    shown: [[`${FAULTS}/bodies.spec.ts`, 'encodings']],
    waits: 'multipart comes with the first route that takes it; compressed bodies are refused',
  },
  F63: {
    fault: 'injection and smuggling',
    shown: [
      [`${FAULTS}/connections.spec.ts`, 'broken framing'],
      [`${FAULTS}/connections.spec.ts`, 'a request smuggled behind a body'],
    ],
  },
  F65: {
    fault: 'expressions that explode',
    shown: [['src/gateway/request/json-scan.spec.ts', 'reads arbitrary bytes without anything but a refusal']],
    waits: 'expressions written by users come with guardrails',
  },
  F66: { fault: 'mutated bodies', shown: [[`${FAULTS}/fuzz.spec.ts`, 'give no exit, no 500, no stall']] },
  F67: {
    fault: 'forged tokens',
    shown: [
      ['src/auth/token.verifier.spec.ts', 'refuses %s signed with the public key'],
      ['src/auth/token.verifier.spec.ts', 'refuses an ES256 signature of zeros'],
      ['src/auth/token.verifier.spec.ts', 'refuses a token whose prefix was accepted'],
    ],
  },
  F68: {
    fault: 'an identity provider in trouble',
    shown: [
      ['src/auth/jwks.source.spec.ts', 'asks at most once per cooldown'],
      ['src/auth/jwks.source.spec.ts', 'refuses unknown key ids of a flood'],
    ],
  },
  F69: { fault: 'clocks that differ', shown: [['src/auth/token.verifier.spec.ts', '[string, number]']] },
  F70: {
    fault: 'keys that are none',
    shown: [['src/auth/authenticator.spec.ts', 'answers wrong, expired, malformed and huge keys alike']],
  },
  F72: {
    fault: 'headers that claim an identity',
    shown: [
      ['src/auth/authenticator.spec.ts', 'takes identity from the credential alone'],
      [`${FAULTS}/bodies.spec.ts`, 'in headers stays with us: none reaches the provider'],
    ],
  },
  F73: {
    fault: 'a body that names an endpoint or a key',
    shown: [[`${FAULTS}/bodies.spec.ts`, 'as endpoint, schema or webhook change nothing']],
  },
  F74: { fault: 'addresses inside the network', shown: [[`${FAULTS}/bodies.spec.ts`, 'are never fetched by us']] },
  R2: {
    fault: 'how soon an upstream is closed',
    shown: [[`${E2E}/client-gone.spec.ts`, 'closes the upstream within 100 ms']],
  },
  R3: {
    fault: 'what stalled clients cost',
    shown: [[`${FAULTS}/clients.spec.ts`, 'stalled readers are cut after the stall time']],
  },
  R4: { fault: 'when silence ends a call', shown: [[`${FAULTS}/silence.spec.ts`, 'providers that fall silent']] },
  R7: { fault: 'what no input may do', shown: [[`${FAULTS}/fuzz.spec.ts`, 'give no exit, no 500, no stall']] },
};

describe('every fault has a test that is still there', () => {
  it.each(Object.entries(ROWS))('%s', (_id, { shown }) => {
    for (const [file, title] of shown) {
      const path = join(__dirname, '../..', file);
      expect([file, existsSync(path)]).toEqual([file, true]);
      expect([title, readFileSync(path, 'utf8').includes(title)]).toEqual([title, true]);
    }
  });
});
