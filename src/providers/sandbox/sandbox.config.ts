import { z } from 'zod';

/*
 * The sandbox answers without any cloud. What it does can be steered from within the last user message (or an
 * embeddings input); every instruction is optional, and all may be combined:
 *
 *   [[reply TEXT]]          answer with TEXT
 *   [[tokens N]]            answer with N tokens
 *   [[pace N]]              stream N tokens per second; 0 = without pause
 *   [[latency MS]]          wait so long before answering
 *   [[fail WHAT]]           refuse: WHAT is an HTTP status (429, 500, …), "unreachable", "content_filter" or
 *                           "context_length"
 *   [[fail 429 retry=S]]    with Retry-After of S seconds
 *   [[fail WHAT on=NAME]]   only at the provider or upstream model of this name: shows failover
 *   [[stall]]               never answer; a stream begins and then says nothing
 *   [[stall after N]]       a stream says nothing more after N pieces
 *   [[break after N]]       a stream breaks off after N pieces; a whole answer breaks off at once
 *
 * Tokens are counted by a fixed rule: 4 bytes of UTF-8 make a token, a file, picture or sound counts 85.
 * A whole answer takes the latency alone, whatever the pace.
 */

export const sandboxSettings = z.strictObject({
  latencyMs: z.int().min(0).max(600_000).default(0).describe('Wait before every answer.'),
  tokensPerSecond: z.number().min(0).max(1_000_000).default(200).describe('Pace of streams; 0 = without pause.'),
  failRate: z.number().min(0).max(1).default(0).describe('Share of calls that fail.'),
  failStatus: z.int().min(400).max(599).default(500).describe('The status those calls fail with.'),
  seed: z.int().default(1).describe('Decides which calls fail: the same seed, the same sequence.'),
  dimensions: z.int().min(1).max(4_096).default(256).describe('Length of embedding vectors unless a call asks.'),
  onDisconnect: z
    .enum(['abort', 'drain'])
    .default('abort')
    .describe('Whether a vanished client stops the answer, or it is generated and counted to its end.'),
});

/** Checked settings of a sandbox. */
export type SandboxSettings = z.output<typeof sandboxSettings>;
