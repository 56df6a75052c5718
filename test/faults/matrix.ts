/** A test that shows a row: its file, the exact title of its `it` or `describe`, and the case of its table, if one. */
export type Shown = readonly [file: string, title: string, tableCase?: string];

/** One fault the gateway is beaten with. */
export interface Row {
  readonly fault: string;
  /** Every test that shows what is required; none only where all of it waits. */
  readonly shown: readonly Shown[];
  /** What of the row must wait, and for what; absent = nothing. */
  readonly waits?: string;
}

const GONE = 'test/e2e/client-gone.spec.ts';
const DRAIN = 'test/e2e/drain.spec.ts';
const STRANGERS = 'test/e2e/no-body-for-strangers.spec.ts';
const BEFORE = 'test/e2e/error-before-commit.spec.ts';
const AFTER = 'test/e2e/error-after-commit.spec.ts';
const NO_FALSE_DONE = 'test/e2e/no-false-done.spec.ts';
const BODIES = 'test/faults/bodies.spec.ts';
const BROKEN = 'test/faults/broken-streams.spec.ts';
const CLIENTS = 'test/faults/clients.spec.ts';
const CONNECTIONS = 'test/faults/connections.spec.ts';
const FUZZ = 'test/faults/fuzz.spec.ts';
const PROCESS = 'test/faults/process.spec.ts';
const ANSWERS = 'test/faults/provider-answers.spec.ts';
const RELOAD = 'test/faults/reload.spec.ts';
const SILENCE = 'test/faults/silence.spec.ts';
const RELOADER = 'src/config/config.reloader.spec.ts';
const YAML = 'src/config/yaml-document.spec.ts';
const SPLITTER = 'src/transport/sse-splitter.spec.ts';
const FRAMES = 'src/transport/event-stream.spec.ts';
const SCAN = 'src/gateway/request/json-scan.spec.ts';
const TOKENS = 'src/auth/token.verifier.spec.ts';
const JWKS = 'src/auth/jwks.source.spec.ts';
const KEYS = 'src/auth/key-index.spec.ts';
const AUTHENTICATOR = 'src/auth/authenticator.spec.ts';
const STORE = 'src/state/redis.store.spec.ts';
const OUTAGE = 'src/quota/store-outage.spec.ts';
const LEASES = 'src/quota/leases.spec.ts';

/** Clients and streams. */
const STREAMS = {
  F1: {
    fault: 'a client closes in the middle of a stream',
    shown: [[GONE, 'in the middle of a stream closes the upstream within 100 ms and is charged what was generated']],
  },
  F2: {
    fault: 'a client closes after the terminal mark',
    shown: [[GONE, 'after [DONE] changes nothing: one settlement with the final usage']],
  },
  F3: {
    fault: 'a client closes before the first byte',
    shown: [[GONE, 'before the first byte closes the upstream within 100 ms and is charged its prompt']],
  },
  F5: {
    fault: 'a slow reader',
    shown: [
      [CLIENTS, 'a slow reader gets every event once and in order, and the upstream waits for it'],
      [CLIENTS, 'a reader that pauses a little longer than the buffer lasts is not taken for a stalled one'],
      [CLIENTS, 'a slow reader gets a large whole answer, byte for byte, though it takes longer than the stall time'],
    ],
  },
  F6: {
    fault: 'stalled readers',
    shown: [
      [CLIENTS, 'stalled readers are cut after the stall time, their upstreams closed, and what was generated charged'],
      [CLIENTS, 'readers that stall on a whole answer or on the end of a stream are cut too'],
    ],
  },
  F7: {
    fault: 'a client resets while we write',
    shown: [[CLIENTS, 'resets while we write harm nobody else, and each is settled']],
  },
  F8: {
    fault: 'an upstream accepts and never answers',
    shown: [
      [SILENCE, 'a stream whose provider %s is a 504 after the first-content time, its upstream closed'],
      [SILENCE, '%s: the same for a translated stream'],
      [SILENCE, 'while nothing was sent the next deployment answers, and the answer shows it alone'],
      [SILENCE, 'a whole answer is waited for until the total alone, then it is a 504'],
    ],
  },
  F9: {
    fault: 'an upstream falls silent in its answer',
    shown: [[SILENCE, '%s: the idle time ends it with an event, and nobody else is asked']],
  },
  F10: {
    fault: 'an upstream resets at any byte',
    shown: [
      [BROKEN, '%s at any byte: a prefix and an error, or the whole, and never both', 'resetAfterBytes'],
      [NO_FALSE_DONE, 'never after %s at any byte of the stream, whose text comes at most once'],
    ],
  },
  F11: {
    fault: 'an upstream ends cleanly but early',
    shown: [
      [BROKEN, '%s at any byte: a prefix and an error, or the whole, and never both', 'endAfterBytes'],
      [AFTER, '%s', 'a clean but early end'],
    ],
  },
  F13: {
    fault: 'a stream split at every byte',
    shown: [
      [BROKEN, 'written byte by byte it is what it is in one write'],
      [AFTER, 'text split into writes of %d bytes arrives unharmed'],
      [SPLITTER, 'reads what the reference parser reads, however the bytes are cut, and loses no byte'],
      [FRAMES, 'gives the same messages when bytes come %d at a time'],
    ],
  },
  F14: {
    fault: 'a giant event, a stream without events',
    shown: [
      [BROKEN, '%s: an event of 20 MB is cut at its cap, before and after content'],
      [BROKEN, 'a stream of nothing but comments is given up before it fills the memory'],
      [BROKEN, 'a whole answer beyond its cap is a 502'],
      [SPLITTER, 'gives up on a stream without a blank line before it has grown'],
    ],
  },
  F15: {
    fault: 'a flood of tiny events',
    shown: [[BROKEN, 'a flood of tiny events on some streams starves no other, nor the probes']],
  },
  F16: {
    fault: 'data that is no JSON',
    shown: [
      [BROKEN, 'in a dialect that is passed on is passed on, counted, and the stream goes on'],
      [BROKEN, '%s: where it is translated it ends the stream with an error'],
    ],
  },
  F17: {
    fault: 'broken frames of an event stream',
    shown: [
      [BROKEN, '%s: its status before content, an event after it', 'a wrong checksum of the prelude'],
      [BROKEN, '%s: its status before content, an event after it', 'a length of 2^31'],
      [BROKEN, '%s before content lets the next deployment answer'],
      [BROKEN, 'a header of an unknown type is a broken stream, an event of an unknown kind is not'],
      [FRAMES, 'refuses every single flipped bit'],
      [FRAMES, 'refuses a bad prelude before the frame is whole'],
    ],
  },
  F18: {
    fault: 'usage that is none',
    shown: [
      [ANSWERS, '%s is charged by an estimate, and told as missing', 'negative counts'],
      [ANSWERS, 'a number too large for JSON is charged by an estimate'],
      [ANSWERS, '%s are the truth as told', 'zeros'],
      [ANSWERS, 'of counts that decrease along a stream the last is the truth'],
      [ANSWERS, 'nonsense of %s never credits anybody: %j'],
      [ANSWERS, 'no answer has given back more than was reserved'],
    ],
  },
  F20: {
    fault: 'refusals of a provider',
    shown: [
      [ANSWERS, 'a 429 with %s tells the caller when to come back', 'a date'],
      [ANSWERS, '%d is told as %d %s, and the next deployment is asked first'],
      [ANSWERS, 'a deployment that limits requests is left alone for as long as it said'],
      [ANSWERS, '%s: its own way of saying it is understood'],
      [BEFORE, 'a provider that answers with %s, when there is no other'],
    ],
  },
} as const satisfies Record<string, Row>;

/** The store. */
const STORES = {
  F21: {
    fault: 'the store dies and comes back',
    shown: [
      [STORE, 'fails at once when the server dies, and finds the next one at the same place'],
      [
        'test/quota/quota.flaps.spec.ts',
        'admits no more than the limit while the store comes and goes, whoever admits',
      ],
    ],
    waits: 'budgets, whose sums are compared after a restart, come with billing',
  },
  F22: {
    fault: 'the store hangs with its connections open',
    shown: [
      [STORE, 'gives up a call after its own timeout, opens when silence lasts, and comes back by itself'],
      ['test/e2e/store-flaps.spec.ts', 'admits no more than the limit of key %s, held for %s ms at a time'],
    ],
  },
  F23: { fault: 'a store that is now slow, now quick', shown: [], waits: 'the chaos proxy comes with the soak' },
  F25: {
    fault: 'a connection lost between a settlement and its acknowledgement',
    shown: [[OUTAGE, 'settles once although the first settlement was carried out without an answer']],
  },
  F26: {
    fault: 'scripts flushed under load',
    shown: [[STORE, 'runs a script the server does not know, and one it has forgotten']],
  },
  F27: {
    fault: 'a store that is full',
    shown: [[STORE, 'counts a server that is out of memory as away']],
  },
  F28: {
    fault: 'a failover of sentinels',
    shown: [[STORE, 'leaves a server that became a replica, and takes it again when it is primary']],
    waits: 'the replay of settlements lost by a failover comes with billing',
  },
  F29: { fault: 'a failover that loses writes', shown: [], waits: 'as F28' },
  F30: { fault: 'a split brain', shown: [], waits: 'as F28' },
  F32: { fault: "a store's clock that jumps", shown: [], waits: 'the replay of time comes with the soak' },
  F33: { fault: 'slots of a cluster that move', shown: [], waits: 'a cluster of three processes comes with the soak' },
  F34: {
    fault: 'a lost subscription',
    shown: [[STORE, 'hears published messages, again after a reconnection']],
    waits: 'keys made at run time come with the admin API',
  },
  F35: { fault: 'a ledger that nobody reads', shown: [], waits: 'consumers of the ledger come with billing' },
} as const satisfies Record<string, Row>;

/** The process and its configuration. */
const PROCESSES = {
  F36: {
    fault: 'SIGTERM under load',
    shown: [
      [
        DRAIN,
        'open streams end whole, readiness fails at once, new connections are refused later, all is settled, exit 0',
      ],
      [DRAIN, 'streams that outlast it get an error in their stream and are settled'],
    ],
  },
  F37: {
    fault: 'a second signal',
    shown: [
      [DRAIN, 'a second signal hurries, and still settles'],
      [PROCESS, 'SIGINT after SIGTERM cuts what is open with an error, and settles it'],
    ],
  },
  F38: {
    fault: 'SIGTERM while the store is away',
    shown: [
      [
        PROCESS,
        'SIGTERM while the store is %s: what could not be settled is written to the log, and it ends in time',
        'dead',
      ],
      [OUTAGE, 'writes what could not be settled to the log at the end'],
    ],
  },
  F39: {
    fault: 'a rolling restart behind a balancer',
    shown: [],
    waits: 'the balancer of three replicas comes with the soak',
  },
  F40: {
    fault: 'kill -9 in the middle of requests',
    shown: [
      [PROCESS, 'kill -9: its clients see a cut, its leases end in time, and another gateway goes on'],
      [LEASES, 'settles a reservation whose owner is gone by its prompt estimate, once'],
      [LEASES, 'corrects the difference when the owner settles after all'],
    ],
    waits: 'holds of budgets come with billing; the 32 seconds are waited for by test/faults/kill.ts',
  },
  F42: { fault: 'a heap that is full', shown: [], waits: 'shedding comes with overload control' },
  F43: {
    fault: 'an uncaught exception or rejection',
    shown: [
      [PROCESS, '%s is logged, drained and an exit of 1; a second one does not hurry', 'an uncaught exception'],
      [PROCESS, 'a defect while it drains is an exit of 1'],
      [PROCESS, 'a shutdown that fails itself is logged once and an exit of 1'],
      ['src/gateway/relay/relay.spec.ts', 'makes a defect of ours the failure of this stream alone'],
    ],
  },
  F44: {
    fault: 'a configuration that breaks',
    shown: [
      [RELOAD, '%s is refused with its reason, counted, and changes nothing', 'half of the file'],
      [RELOAD, 'a file that is gone changes nothing, and its return is taken'],
      [RELOAD, 'a swap of links, as Kubernetes makes it, is taken at once and whole'],
      [RELOAD, 'a storm of changes ends with the last one in force'],
      [RELOADER, 'keeps the old configuration while the file is %s, says why, and takes the next good one'],
      [YAML, 'refuses an alias bomb at once'],
    ],
  },
  F45: {
    fault: 'a model removed in flight',
    shown: [[RELOAD, 'a request in flight keeps what it began with: model, provider and key may go']],
    waits: 'prices, and with them their versions, come with billing',
  },
  F46: {
    fault: 'a rotated or missing secret',
    shown: [
      [RELOAD, 'a rotated secret is used by new requests, though the file that names it did not change'],
      [RELOAD, 'a start without the secret %s is refused by its name alone'],
    ],
  },
  F47: { fault: 'a replica with another clock', shown: [], waits: 'the replay of time comes with the soak' },
  F48: { fault: 'names that do not resolve', shown: [], waits: 'a resolver to script comes with the soak' },
  F50: {
    fault: 'idle connections',
    shown: [[CONNECTIONS, 'a connection without a request is closed after the keep-alive time, which answers tell']],
  },
  F52: { fault: 'three times the capacity', shown: [], waits: 'shedding comes with overload control' },
} as const satisfies Record<string, Row>;

/** Hostile input. */
const INPUT = {
  F53: {
    fault: 'bodies that are too large or lie',
    shown: [
      [STRANGERS, 'an endless chunked body is cut at the limit'],
      [STRANGERS, 'a caller whose body is declared too large is refused without reading it'],
      [CONNECTIONS, 'tell their clients why, however much these have sent by then'],
      [CONNECTIONS, 'are recorded as refused, and end though their client neither reads nor closes'],
      [CONNECTIONS, 'reserve nothing, nor does a body shorter than it said'],
    ],
  },
  F54: {
    fault: 'slow headers, slow bodies, idle crowds',
    shown: [
      [CONNECTIONS, 'headers that do not come are a 408, and the connection is gone though its client never closes'],
      [CONNECTIONS, 'a body that does not come is a 408 with a request id, recorded, and nothing is left open'],
      [CONNECTIONS, 'a body that drips in is cut at the same time, not at its last byte'],
      [CONNECTIONS, 'hundreds of idle and half-said connections keep nobody from being served'],
    ],
  },
  F55: {
    fault: 'headers beyond measure',
    shown: [
      [STRANGERS, 'headers beyond 16 KiB are a 431'],
      [CONNECTIONS, '%s are a 431', 'that are 2,000'],
      [CONNECTIONS, 'a path longer than headers may be is a 431, a broken one a 4xx'],
    ],
  },
  F56: {
    fault: 'deep nesting',
    shown: [
      [BODIES, 'a nesting of %d is refused before it is parsed'],
      [SCAN, 'refuses a nesting deeper than the limit without parsing it'],
    ],
  },
  F57: {
    fault: 'endless lists, fields and numbers',
    shown: [
      [BODIES, '%s are refused', '300,000 messages'],
      [SCAN, 'refuses an object with too many fields'],
      [SCAN, 'refuses more entries in all than ten times as many'],
      [SCAN, 'refuses more numbers than a hundred times as many'],
    ],
  },
  F58: {
    fault: 'a key twice',
    shown: [
      [BODIES, 'what was checked is what is sent: of repeated keys the last, once'],
      [BODIES, 'a key that may use one model reaches no other by naming both, nor by a path'],
    ],
  },
  F59: {
    fault: 'keys of the prototype',
    shown: [
      [BODIES, '__proto__ %s is refused'],
      [BODIES, 'leave no trace on the requests that follow'],
      [BODIES, '%s is no model, role or field'],
      [YAML, 'leaves no trace on Object.prototype'],
    ],
  },
  F60: {
    fault: 'numbers that are none',
    shown: [
      [BODIES, '%s is refused by name', 'max_tokens'],
      [BODIES, '%s is no JSON'],
      [BODIES, 'several choices reserve as many answers'],
    ],
  },
  F62: {
    fault: 'types and encodings',
    shown: [
      [BODIES, '%s is a 415', 'a gzip bomb'],
      [BODIES, 'no type at all is a 415'],
    ],
    waits: 'multipart comes with the first route that takes it',
  },
  F63: {
    fault: 'injection and smuggling',
    shown: [
      [CONNECTIONS, '%s is a 4xx that closes, and nothing is sent on', 'chunks and a length'],
      [CONNECTIONS, 'a request smuggled behind a body is answered as its own, without the credential of the first'],
      [CONNECTIONS, 'garbage behind a request whose stream has begun cuts the stream and puts nothing into it'],
      [CONNECTIONS, 'an upgrade that is offered is answered as if it were not, and a reset after it harms nobody'],
      [BODIES, 'in fields nobody knows never breaks a header or the process: %s'],
      [STRANGERS, 'broken framing is refused and the connection closed: %s'],
    ],
  },
  F65: { fault: 'expressions that explode', shown: [], waits: 'expressions written by users come with guardrails' },
  F66: {
    fault: 'mutated bodies',
    shown: [
      [FUZZ, 'are sent to every route that takes a body'],
      [FUZZ, 'give no exit, no 500, no stall and no answer that cannot be read'],
    ],
  },
  F67: {
    fault: 'forged tokens',
    shown: [
      [TOKENS, 'refuses algorithm %s'],
      [TOKENS, 'refuses %s signed with the public key'],
      [TOKENS, 'never follows what a header names'],
      [TOKENS, 'refuses an infinite expiry'],
      [TOKENS, 'refuses a token whose prefix was accepted'],
      [TOKENS, 'refuses an ES256 signature of zeros'],
      [TOKENS, 'refuses what is no token: %s'],
      [JWKS, 'takes key id "%s" for a name'],
    ],
  },
  F68: {
    fault: 'an identity provider in trouble',
    shown: [
      [JWKS, 'is unavailable, never refusing, while there are no keys: %s'],
      [JWKS, 'asks at most once per cooldown: %s'],
      [JWKS, 'keeps the last good keys: %s'],
      [JWKS, 'refuses unknown key ids of a flood with one further fetch a cooldown'],
      [JWKS, 'gives stale keys up after a day'],
    ],
  },
  F69: {
    fault: 'clocks that differ',
    shown: [[TOKENS, 'allows the configured difference of clocks for %s, and no more']],
  },
  F70: {
    fault: 'keys that are none',
    shown: [
      [AUTHENTICATOR, 'answers wrong, expired, malformed and huge keys alike'],
      [KEYS, 'computes no hash for a wrong checksum'],
      [KEYS, 'finds nobody for: %s'],
    ],
  },
  F72: {
    fault: 'headers that claim an identity',
    shown: [
      [AUTHENTICATOR, 'takes identity from the credential alone'],
      [BODIES, 'in headers stays with us: none reaches the provider'],
      [BODIES, 'as its address is believed of proxies alone, and here none is trusted'],
      [BODIES, 'as user or metadata changes nothing of who it is'],
    ],
  },
  F73: {
    fault: 'a body that names an endpoint or a key',
    shown: [[BODIES, 'as endpoint, schema or webhook change nothing: %s']],
  },
  F74: { fault: 'addresses inside the network', shown: [[BODIES, 'are never fetched by us: %s']] },
  F76: {
    fault: 'what callers write in the log',
    shown: [['test/e2e/refusals-recorded.spec.ts', 'never logs a prompt or a credential']],
    waits: 'a corpus of its own comes with the audit log',
  },
  F77: { fault: 'a cache shared by tenants', shown: [], waits: 'there is no cache yet' },
  F78: { fault: 'ids of another tenant', shown: [], waits: 'routes that take ids come with the admin API' },
  F79: { fault: 'credentials of the other plane', shown: [], waits: 'there is no route on the admin plane yet' },
  F80: { fault: 'all of it at once', shown: [], waits: 'the soak' },
} as const satisfies Record<string, Row>;

/** What must hold whatever happens; the strict figures are measured by the scripts test/faults/figures.ts and fuzz.ts. */
const TARGETS = {
  R2: {
    fault: 'how soon an upstream is closed behind a client that left',
    shown: [[GONE, 'in the middle of a stream closes the upstream within 100 ms and is charged what was generated']],
  },
  R3: {
    fault: 'what clients that take nothing cost',
    shown: [
      [CLIENTS, 'stalled readers are cut after the stall time, their upstreams closed, and what was generated charged'],
    ],
  },
  R4: {
    fault: 'when silence ends a call',
    shown: [
      [SILENCE, 'a stream whose provider %s is a 504 after the first-content time, its upstream closed'],
      [SILENCE, '%s: the idle time ends it with an event, and nobody else is asked'],
    ],
  },
  R7: {
    fault: 'what no input may do',
    shown: [[FUZZ, 'give no exit, no 500, no stall and no answer that cannot be read']],
  },
} as const satisfies Record<string, Row>;

/** Every fault, what shows that the gateway survives it, and what must wait. */
export const MATRIX: Readonly<Record<string, Row>> = { ...STREAMS, ...STORES, ...PROCESSES, ...INPUT, ...TARGETS };
