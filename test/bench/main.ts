// Measures the gateway beside a bare proxy and prints what each request, chunk and open stream costs.
//
//   npm run bench                          everything
//   npm run bench -- --only native,stream  some scenarios
//   npm run bench -- --json FILE           also writes the figures as flat keys
//   npm run bench -- --profile DIR         also takes a CPU profile of the gateway and prints where its time went
//   npm run bench -- --main FILE           measures another build than dist/main.js
//   npm run bench -- --self                the bare proxy on both sides: the bench's own error
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { printProfile } from './profile.ts';
import { measureMemory, measureSdk, measureStream, measureWhole, type Figures } from './scenarios.ts';
import { setUp, type Stage } from './stage.ts';

const prefixed = (prefix: string, figures: Figures): Figures =>
  Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${prefix}.${name}`, value]));

/** A translated call, beside the bare proxy and beside the pure SDK. */
async function measureTranslated(stage: Stage, kind: string): Promise<Figures> {
  const sdkUs = await measureSdk(stage, kind);
  return prefixed(`translated.${kind}`, { ...(await measureWhole(stage, `bench-${kind}`)), sdkUs });
}

/** In the order in which they run: memory first, while no process has grown yet. */
const SCENARIOS: Readonly<Record<string, (stage: Stage) => Promise<Figures>>> = {
  openStream: measureMemory,
  native: async (stage) =>
    prefixed('native', { ...(await measureWhole(stage, 'bench')), sdkUs: await measureSdk(stage, 'azure') }),
  'native.openai': async (stage) => prefixed('native.openai', await measureWhole(stage, 'bench-openai')),
  'native.openai-compatible': async (stage) =>
    prefixed('native.openai-compatible', await measureWhole(stage, 'bench-openai-compatible')),
  'translated.bedrock': (stage) => measureTranslated(stage, 'bedrock'),
  'translated.gemini': (stage) => measureTranslated(stage, 'gemini'),
  'translated.anthropic': (stage) => measureTranslated(stage, 'anthropic'),
  stream: async (stage) => prefixed('stream', await measureStream(stage)),
};

/** The scenarios asked for by name or by the start of one (`translated`); all without names. */
function selected(only: string | undefined): string[] {
  const names = Object.keys(SCENARIOS);
  if (only === undefined) return names;
  const isAsked = (asked: string, name: string): boolean => name === asked || name.startsWith(`${asked}.`);
  const asked = only.split(',');
  const unknown = asked.find((prefix) => !names.some((name) => isAsked(prefix, name)));
  if (unknown !== undefined) throw new Error(`there is no scenario "${unknown}"; there are ${names.join(', ')}`);
  return names.filter((name) => asked.some((prefix) => isAsked(prefix, name)));
}

async function measure(stage: Stage, names: readonly string[]): Promise<Figures> {
  const figures: Record<string, number> = {};
  for (const name of names) {
    const startedAt = performance.now();
    const found = (await SCENARIOS[name]?.(stage)) ?? {};
    Object.assign(figures, found);
    console.log(`\n${name}  (${((performance.now() - startedAt) / 1_000).toFixed(0)} s)`);
    for (const [figure, value] of Object.entries(found)) console.log(`  ${figure.padEnd(34)} ${value}`);
  }
  return figures;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      json: { type: 'string' },
      profile: { type: 'string' },
      main: { type: 'string', default: join(import.meta.dirname, '../../dist/main.js') },
      self: { type: 'boolean', default: false },
    },
  });
  const { json, profile } = values;
  const names = selected(values.only);
  if (profile !== undefined) mkdirSync(profile, { recursive: true });
  const stage = await setUp({ isSelfTest: values.self, profileDirectory: profile, main: values.main });
  try {
    const store = stage.store === undefined ? 'embedded store' : 'redis-server';
    console.log(`Node ${process.version}, ${values.self ? 'the bare proxy against itself' : store}`);
    const loadStartedAtMs = performance.now();
    const figures = await measure(stage, names);
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(figures, null, 2)}\n`);
    if (profile !== undefined) {
      await stage.stopGateway();
      printProfile(profile, loadStartedAtMs - stage.gatewayStartedAtMs);
    }
  } finally {
    await stage.stop();
  }
}

await main();
