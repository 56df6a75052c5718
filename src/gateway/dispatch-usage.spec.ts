import { GatewayError } from '../contract/errors.js';
import { NO_USAGE, type MeasuredUsage } from '../contract/usage.js';
import { estimatedUsage, relayedUsage } from './dispatch-usage.js';
import type { RelayEnd } from './relay/relay.js';

const PROMPT = 7;
const TOLD: MeasuredUsage = { ...NO_USAGE, promptTokens: 3, completionTokens: 2, source: 'final' };
const error = new GatewayError('provider_stream_broken');

const charged = (end: RelayEnd): MeasuredUsage => relayedUsage(end, PROMPT);

describe('what an answer without usage is charged', () => {
  it('is the prompt, and a token for every four bytes begun', () => {
    expect([0, 1, 4, 5].map((bytes) => estimatedUsage(PROMPT, bytes).completionTokens)).toEqual([0, 1, 1, 2]);
    expect(estimatedUsage(PROMPT, 5)).toEqual({
      ...NO_USAGE,
      promptTokens: 7,
      completionTokens: 2,
      source: 'estimate',
    });
  });
});

describe('what a stream is charged', () => {
  it('is what the provider told at its end, zeros too', () => {
    expect(charged({ how: 'complete', usage: TOLD, generatedBytes: 400 })).toEqual(TOLD);
    const nothing = { ...TOLD, completionTokens: 0 };
    expect(charged({ how: 'complete', usage: nothing, generatedBytes: 400 })).toEqual(nothing);
  });

  it.each(['failed', 'abandoned'] as const)(
    'is what the provider had told when it was %s, as far as that goes',
    (how) => {
      expect(charged({ how, error, usage: TOLD, generatedBytes: 400 })).toEqual({ ...TOLD, source: 'partial' });
    },
  );

  it('is the told prompt and an estimate of what was shown, where the provider had not counted that yet', () => {
    const uncounted = { ...TOLD, completionTokens: 0 };
    expect(charged({ how: 'abandoned', error, usage: uncounted, generatedBytes: 400 })).toEqual({
      ...TOLD,
      completionTokens: 100,
      source: 'estimate',
    });
    expect(charged({ how: 'abandoned', error, usage: uncounted, generatedBytes: 0 })).toEqual({
      ...uncounted,
      source: 'partial',
    });
  });

  it('is an estimate where the provider told nothing', () => {
    for (const end of [{ how: 'complete' }, { how: 'failed', error }] as const) {
      expect(charged({ ...end, generatedBytes: 8 })).toEqual(estimatedUsage(PROMPT, 8));
    }
  });
});
