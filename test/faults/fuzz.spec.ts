import { chatBody, call } from '../e2e/world.ts';
import { FUZZ_ROUTES } from './support/fuzz-routes.ts';
import { fuzz } from './support/fuzz-run.ts';
import { startWideWorld, type WideWorld } from './support/wide-world.ts';

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

describe('mutated bodies', () => {
  let world: WideWorld;
  beforeAll(async () => {
    world = await startWideWorld();
  });
  afterAll(() => world.stop());

  it('are sent to every route that takes a body', async () => {
    const description = (await (await fetch(`${world.gateway.data}/openapi.json`)).json()) as Description;
    const taking = Object.entries(description.paths).filter(([, methods]) => 'post' in methods);
    expect(taking.length).toBeGreaterThan(3);
    const patterns = FUZZ_ROUTES.map(({ path }) => path.split('?')[0] ?? '');
    for (const [path] of taking) {
      const pattern = new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
      expect({ path, fuzzed: patterns.some((fuzzed) => pattern.test(fuzzed)) }).toEqual({ path, fuzzed: true });
    }
  });

  it('give no exit, no 500, no stall and no answer that cannot be read', async () => {
    const report = await fuzz(world, { routes: FUZZ_ROUTES, count: 100, seed: 20_260_924 });
    expect(report.violations).toEqual([]);
    expect(report.sent).toBeGreaterThanOrEqual(100 * FUZZ_ROUTES.length);
    // Some still mean something, or nothing behind the parser was reached.
    expect(report.statuses['200']).toBeGreaterThan(30);
    expect(report.statuses['400']).toBeGreaterThan(100);
    expect((await call(world, { body: chatBody('single') })).status).toBe(200);
  }, 60_000);
});
