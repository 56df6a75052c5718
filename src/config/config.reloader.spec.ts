import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { sampleKinds, sampleQuickStart, temporaryDirectory } from '../../test/support/config-samples.js';
import { ConfigReloader } from './config.reloader.js';
import { ConfigStore } from './config.store.js';
import type { ReloadReport } from './config.store.js';
import { loadConfig } from './load-config.js';
import { createLogger } from './logging.js';

const minimal =
  'providers: { desk: { kind: paper } }\nmodels: { small: { deployments: [{ provider: desk, model: m }] } }\n';
const withLevel = (level: string) => `${minimal}logging: { level: ${level} }\n`;

interface Running {
  readonly store: ConfigStore;
  readonly reloader: ConfigReloader;
  readonly log: Record<string, unknown>[];
  /** Does something, and waits for the reload it leads to. */
  after(action: () => void): Promise<ReloadReport>;
}

describe('ConfigReloader', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let path: string;
  let running: ConfigReloader[];

  beforeEach(() => {
    directory = temporaryDirectory();
    path = join(directory.path, 'tollgate.yaml');
    running = [];
  });

  afterEach(() => {
    for (const reloader of running) reloader.onModuleDestroy();
    directory.remove();
  });

  const start = (timing = { settleMs: 5, pollMs: 60_000 }): Running => {
    const environment = { TOLLGATE_CONFIG: path };
    const loaded = loadConfig({ kinds: sampleKinds, quickStart: sampleQuickStart, environment });
    const store = new ConfigStore(loaded.snapshot);
    const log: Record<string, unknown>[] = [];
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        log.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
        done();
      },
    });
    const reloader = new ConfigReloader(loaded, store, createLogger('info', sink), timing);
    running.push(reloader);
    reloader.onApplicationBootstrap();
    const after = (action: () => void) =>
      new Promise<ReloadReport>((resolve) => {
        const leave = store.onReload((report) => {
          leave();
          resolve(report);
        });
        action();
      });
    return { store, reloader, log, after };
  };

  it('puts a file in force that was written over', async () => {
    writeFileSync(path, withLevel('info'));
    const { store, after } = start();
    const held = store.current;
    await expect(after(() => writeFileSync(path, withLevel('debug')))).resolves.toMatchObject({ result: 'success' });
    expect(store.current).toMatchObject({ version: 2, config: { logging: { level: 'debug' } } });
    expect(store.current.sha).not.toBe(held.sha);
    expect(held.config.logging.level).toBe('info');
  });

  it('puts a file in force that was renamed into place', async () => {
    writeFileSync(path, withLevel('info'));
    const { store, after } = start();
    await after(() => {
      writeFileSync(`${path}.new`, withLevel('warn'));
      renameSync(`${path}.new`, path);
    });
    expect(store.current.config.logging.level).toBe('warn');
  });

  it('follows the swapped links of a mounted ConfigMap', async () => {
    const revision = (name: string, level: string) => {
      mkdirSync(join(directory.path, name));
      writeFileSync(join(directory.path, name, 'tollgate.yaml'), withLevel(level));
    };
    const point = (name: string) => {
      symlinkSync(name, join(directory.path, '..data_tmp'));
      renameSync(join(directory.path, '..data_tmp'), join(directory.path, '..data'));
    };
    revision('..one', 'info');
    point('..one');
    symlinkSync('..data/tollgate.yaml', path);
    const { store, after } = start();
    for (const [name, level] of [
      ['..two', 'warn'],
      ['..three', 'error'],
    ] as const) {
      await after(() => {
        revision(name, level);
        point(name);
      });
      expect(store.current.config.logging.level).toBe(level);
    }
  });

  it('puts a rotated secret in force though the file is the same', async () => {
    const secret = join(directory.path, 'mount', 'sky');
    mkdirSync(join(directory.path, 'mount'));
    writeFileSync(secret, 'old');
    writeFileSync(
      path,
      `${minimal.replace('{ kind: paper }', '{ kind: cloud, endpoint: https://a.example.com, apiKey: file:mount/sky }')}`,
    );
    const { store, after } = start();
    const { sha } = store.current;
    await after(() => writeFileSync(secret, 'new'));
    expect(store.current).toMatchObject({
      version: 2,
      sha,
      config: { providers: { desk: { settings: { apiKey: 'new' } } } },
    });
    const report = await after(() => rmSync(secret));
    expect(report).toMatchObject({
      result: 'failure',
      error: expect.stringMatching(/mount\/sky cannot be read \(ENOENT\)/),
    });
    expect(store.current.version).toBe(2);
    await after(() => writeFileSync(secret, 'newer'));
    expect(store.current.config.providers.desk?.settings.apiKey).toBe('newer');
  });

  it.each([
    ['broken', (file: string) => writeFileSync(file, 'logging: { level: [\n'), /tollgate\.yaml:\d+:\d+: /],
    ['empty', (file: string) => truncateSync(file), /the file is empty/],
    ['gone', (file: string) => rmSync(file), /cannot be read \(ENOENT\)/],
    ['a directory', (file: string) => (rmSync(file), mkdirSync(file)), /is not a regular file/],
    [
      'half a secret short',
      (file: string) => writeFileSync(file, `${minimal}auth: { pepper: "\${GONE}" }\n`),
      /GONE is not set/,
    ],
  ])(
    'keeps the old configuration while the file is %s, says why, and takes the next good one',
    async (_name, spoil, reason) => {
      writeFileSync(path, withLevel('info'));
      const { store, log, after } = start();
      const before = store.current;
      const failure = await after(() => void spoil(path));
      expect(failure).toMatchObject({ result: 'failure', error: expect.stringMatching(reason) });
      expect(store.current).toBe(before);
      expect(store.lastReload).toBe(failure);
      expect(log).toMatchObject([{ level: 'error', msg: 'configuration not reloaded, the old one stays in force' }]);
      expect(JSON.stringify(log[0]?.problems)).toMatch(/message/);
      await after(() => {
        rmSync(path, { recursive: true, force: true });
        writeFileSync(path, withLevel('warn'));
      });
      expect(store.current).toMatchObject({ version: 2, config: { logging: { level: 'warn' } } });
    },
  );

  it('reports success when the old file comes back, without a new snapshot', async () => {
    writeFileSync(path, withLevel('info'));
    const { store, after } = start();
    await after(() => rmSync(path));
    await expect(after(() => writeFileSync(path, withLevel('info')))).resolves.toMatchObject({ result: 'success' });
    expect(store.current.version).toBe(1);
  });

  it('holds changed restart keys back and says which', async () => {
    writeFileSync(path, `${minimal}server: { port: 7000 }\n`);
    const { store, log, after } = start();
    const report = await after(() => writeFileSync(path, `${minimal}server: { port: 7001, drainMs: 9 }\n`));
    expect(report.heldBack).toEqual(['server.port']);
    expect(store.current.config.server).toMatchObject({ port: 7000, drainMs: 9 });
    expect(log.at(-1)).toMatchObject({ level: 'warn', keys: ['server.port'] });
  });

  it('refuses what fits the file but not the values held back', async () => {
    const pepper = 'p'.repeat(32);
    writeFileSync(path, `${minimal}redis: { url: redis://store:6379 }\nauth: { pepper: ${pepper} }\n`);
    const { store, after } = start();
    await expect(after(() => writeFileSync(path, minimal))).resolves.toMatchObject({
      result: 'failure',
      error: expect.stringMatching(/auth\.pepper: is required with redis\.url/),
    });
    expect(store.current.config.auth.pepper).toBe(pepper);
  });

  it('keeps the generated pepper over reloads', async () => {
    writeFileSync(path, minimal);
    const { store, after } = start();
    const { pepper } = store.current.config.auth;
    await after(() => writeFileSync(path, withLevel('debug')));
    expect(store.current.config.auth.pepper).toBe(pepper);
  });

  it('makes no new snapshot of a file that was only touched', () => {
    writeFileSync(path, minimal);
    const { store, reloader } = start();
    const listener = jest.fn();
    store.onReload(listener);
    writeFileSync(path, minimal);
    expect(reloader.reload()).toBe('unchanged');
    expect(store.current.version).toBe(1);
    expect(listener).not.toHaveBeenCalled();
  });

  it('reloads on SIGHUP, and no more once it is destroyed', () => {
    writeFileSync(path, withLevel('info'));
    const { store, reloader } = start({ settleMs: 60_000, pollMs: 60_000 });
    writeFileSync(path, withLevel('warn'));
    process.emit('SIGHUP');
    expect(store.current.config.logging.level).toBe('warn');
    reloader.onModuleDestroy();
    expect(process.listenerCount('SIGHUP')).toBe(0);
  });

  it('notices by polling what no event tells', async () => {
    const revision = (name: string, level: string) => {
      mkdirSync(join(directory.path, name));
      writeFileSync(join(directory.path, name, 'tollgate.yaml'), withLevel(level));
    };
    revision('one', 'info');
    revision('two', 'warn');
    symlinkSync('one', join(directory.path, 'link'));
    path = join(directory.path, 'link', 'tollgate.yaml');
    const { store, after } = start({ settleMs: 5, pollMs: 20 });
    // Swapping the link touches neither the file nor its directory.
    await after(() => {
      symlinkSync('two', join(directory.path, 'link.new'));
      renameSync(join(directory.path, 'link.new'), join(directory.path, 'link'));
    });
    expect(store.current.config.logging.level).toBe('warn');
  });

  it('watches the files that a new configuration refers to', async () => {
    mkdirSync(join(directory.path, 'mount'));
    writeFileSync(join(directory.path, 'mount', 'pepper'), 'a'.repeat(32));
    writeFileSync(path, minimal);
    const { store, after } = start();
    await after(() => writeFileSync(path, `${minimal}auth: { pepper: file:mount/pepper }\n`));
    await after(() => writeFileSync(join(directory.path, 'mount', 'pepper'), 'b'.repeat(32)));
    expect(store.current.config.auth.pepper).toBe('b'.repeat(32));
  });

  it('logs what a subscriber throws and goes on', () => {
    writeFileSync(path, withLevel('info'));
    const { store, reloader, log } = start();
    store.subscribe(() => {
      throw new Error('no room');
    });
    writeFileSync(path, withLevel('warn'));
    expect(reloader.reload()).toBe('changed');
    expect(log[0]).toMatchObject({
      level: 'error',
      msg: 'a subscriber of the configuration failed',
      err: { message: 'no room' },
    });
    expect(store.lastReload.result).toBe('success');
  });
});
