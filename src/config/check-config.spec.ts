import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sampleKinds, sampleYaml, temporaryDirectory } from '../../test/support/config-samples.js';
import { checkConfigFile } from './check-config.js';

const directory = temporaryDirectory();
const path = join(directory.path, 'tollgate.yaml');
afterAll(() => directory.remove());

describe('checkConfigFile', () => {
  it('says what a valid file declares', async () => {
    mkdirSync(join(directory.path, 'secrets'));
    writeFileSync(join(directory.path, 'secrets/sky'), 'x');
    writeFileSync(path, sampleYaml);
    const { ok, report } = await checkConfigFile(path, sampleKinds, { PORT: '80' });
    expect(ok).toBe(true);
    expect(report).toMatch(
      /tollgate\.yaml: valid \(providers: 2, models: 1, keys: 1, organisations: 2; sha256 [0-9a-f]{64}\)$/,
    );
  });

  it('reports every problem of an invalid one', async () => {
    writeFileSync(path, `${sampleYaml}extra: 1\n`);
    const { ok, report } = await checkConfigFile(path, sampleKinds, {});
    expect(ok).toBe(false);
    expect(report.replaceAll(path, 'f').split('\n')).toEqual([
      'f:3:9 server.port: the environment variable PORT is not set or empty',
      expect.stringMatching(/^f:\d+:1 extra: unknown key \(allowed here: server, /),
    ]);
  });

  it('reports a file that is not there', async () => {
    const { ok, report } = await checkConfigFile(join(directory.path, 'gone'), sampleKinds, {});
    expect([ok, report]).toEqual([false, `${join(directory.path, 'gone')}: the file cannot be read (ENOENT)`]);
  });
});
