import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { serveOpenApi } from '../../src/gateway/openapi.js';
import { RequestLifecycle } from '../../src/gateway/request/request-lifecycle.js';
import { PEPPER } from './world.ts';

interface Layer {
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
}

/** Routes that need no credential, on purpose. */
const PUBLIC = new Set(['/livez', '/readyz', '/metrics']);
/** Raw Express routes, which no guard sees: the description of the API. */
const RAW = /^\/(docs|openapi\.(json|yaml))(\/|$)/;

describe('every route of the router', () => {
  let application: NestExpressApplication;
  let origin: string;
  let routes: { path: string; method: string }[];

  beforeAll(async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'tollgate-')), 'tollgate.yaml');
    writeFileSync(file, JSON.stringify({ redis: { url: process.env['REDIS_URL'] }, auth: { pepper: PEPPER } }));
    process.env['TOLLGATE_CONFIG'] = file;
    const { AppModule } = await import('../../src/app.module.js');
    const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
    application = testing.createNestApplication<NestExpressApplication>({ bodyParser: false, logger: false });
    application.use(application.get(RequestLifecycle).middleware);
    serveOpenApi(application);
    await application.listen(0, '127.0.0.1');
    origin = await application.getUrl();
    const { router } = application.getHttpAdapter().getInstance() as { router: { stack: readonly Layer[] } };
    routes = router.stack.flatMap(({ route }) => {
      if (route === undefined) return [];
      return Object.keys(route.methods).map((method) => ({ path: route.path, method: method.toUpperCase() }));
    });
  });
  afterAll(() => application.close());

  it('is refused without a credential, or is public on purpose', async () => {
    expect(routes.length).toBeGreaterThan(8);
    const open: string[] = [];
    for (const { path, method } of routes) {
      if (RAW.test(path) || method === '_ALL') continue;
      const url = origin + path.replace(/[:*]\w+/g, 'x');
      const response = await fetch(url, { method });
      await response.arrayBuffer();
      if (response.status !== 401 && response.status !== 404) open.push(`${method} ${path} -> ${response.status}`);
      if (response.status === 404 && !PUBLIC.has(path)) open.push(`${method} ${path} -> 404`);
    }
    expect(open).toEqual([]);
  });
});
