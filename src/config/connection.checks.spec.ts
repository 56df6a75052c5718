import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import express from 'express';
import { sampleKinds } from '../../test/support/config-samples.js';
import { connectionFindings } from './connection.checks.js';
import { formatPath } from './config.problem.js';
import { configSchema } from './config.schema.js';

/** Findings as texts; each must have a hint. */
const check = (document: object): string[] =>
  connectionFindings(configSchema(sampleKinds).parse(document)).map(({ path, message, hint }) => {
    expect(hint).toBeTruthy();
    return `${formatPath(path)}: ${message}`;
  });

describe('redis.url', () => {
  it.each([
    'redis://localhost',
    'redis://:p%40ss@10.0.0.1:6379/3',
    'rediss://user:pass@redis.example.com:6380/',
    'redis://[::1]:6379',
  ])('takes %s', (url) => {
    expect(check({ redis: { url } })).toEqual([]);
  });

  it.each([
    'redis://',
    'redis:///0',
    'redis://:6379',
    'redis://localhost:0',
    'redis://localhost:65536',
    'redis://localhost:port',
    'redis://a b',
    'redis://[::1',
    'redis://:%zz@localhost',
    'redis://localhost/first',
  ])('refuses %s', (url) => {
    expect(check({ redis: { url } })).toEqual([
      'redis.url: is no usable address: it needs a host, a port of 1 to 65535 if any, and a database number if any',
    ]);
  });
});

describe('redis.nodes', () => {
  const nodesAt = (nodes: string[]) => check({ redis: { url: 'redis://a:1', mode: 'cluster', nodes } });

  it('takes names and addresses with their ports', () => {
    expect(nodesAt(['redis-1:6379', '10.0.0.1:6379', '[::1]:6379'])).toEqual([]);
  });

  it.each(['redis-1', ':6379', 'redis-1:', 'redis-1:0', 'redis-1:70000', 'redis://redis-1:6379', 'a@b:1', '::1:6379'])(
    'refuses %s',
    (node) => {
      expect(nodesAt(['redis-0:6379', node])).toEqual(['redis.nodes[1]: is not host:port']);
    },
  );
});

describe('server.trustProxy', () => {
  /** What Express itself thinks of it. */
  const isTaken = (entry: string): boolean => {
    try {
      express().set('trust proxy', [entry]);
      return true;
    } catch {
      return false;
    }
  };

  it.each(['10.0.0.0/8', '127.0.0.1', '::1', 'fd00::/8', '10.0.0.0/255.0.0.0', 'loopback', 'linklocal', 'uniquelocal'])(
    'takes %s, as Express does',
    (entry) => {
      expect(isTaken(entry)).toBe(true);
      expect(check({ server: { trustProxy: [entry] } })).toEqual([]);
    },
  );

  it.each(['', 'localhost', 'true', '10.0.0.0/33', '10.0.0.0/0', '::1/129', '10.0.0.0/', '300.0.0.1', '10.0.0.0/8/8'])(
    'refuses %s, as Express does',
    (entry) => {
      expect(isTaken(entry)).toBe(false);
      expect(check({ server: { trustProxy: ['loopback', entry] } })).toEqual([
        'server.trustProxy[1]: is no IP address, no CIDR and no named range',
      ]);
    },
  );
});

describe('server.host', () => {
  it.each(['0.0.0.0', '::', '::1', 'localhost', 'gateway.example.com', 'tollgate_1'])('takes %s', (host) => {
    expect(check({ server: { host } })).toEqual([]);
  });

  it.each(['', ' ', 'not a host', 'http://localhost', '300.1.1.1', '[::1]', 'localhost:8080', 'a..b', 'x'.repeat(64)])(
    'refuses %s',
    (host) => {
      expect(check({ server: { host } })).toEqual(['server.host: is no host name and no IP address']);
    },
  );
});

describe('transport.caFile', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'tollgate-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const [first = '', second = ''] = rootCertificates;
  const fileOf = (text: string): string => {
    const file = join(directory, 'ca.pem');
    writeFileSync(file, text);
    return file;
  };

  it('takes certificates with comments between them', () => {
    expect(check({ transport: { caFile: fileOf(`# ours\n${first}\n# theirs\n${second}\n`) } })).toEqual([]);
  });

  it('refuses a file that is not there', () => {
    expect(check({ transport: { caFile: join(directory, 'absent.pem') } })).toEqual([
      `transport.caFile: the file ${join(directory, 'absent.pem')} cannot be read (ENOENT)`,
    ]);
  });

  it('refuses a directory', () => {
    expect(check({ transport: { caFile: directory } })).toEqual([
      `transport.caFile: the file ${directory} is not a regular file`,
    ]);
  });

  it.each([
    ['no certificate', 'hello'],
    ['an empty file', ''],
    ['a certificate cut short', first.slice(0, 200)],
    ['a broken one among others', `${first}\n${second.replace(/\n[A-Za-z0-9+/]{8}/, '\n!!!!')}`],
  ])('refuses %s', (_name, text) => {
    const file = fileOf(text);
    expect(check({ transport: { caFile: file } })).toEqual([
      `transport.caFile: the file ${file} holds no PEM certificate, or one that is broken`,
    ]);
  });
});
