import { X509Certificate } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import { resolve } from 'node:path';
import type { Finding } from './config.problem.js';
import type { TollgateConfig } from './config.schema.js';
import { FileReader } from './file-reader.js';

/** Largest file of certificate authorities, in bytes. */
const MAX_CA_BYTES = 16_777_216;
/** Names that Express knows for ranges of addresses. */
const NAMED_RANGES: ReadonlySet<string> = new Set(['loopback', 'linklocal', 'uniquelocal']);
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*(?:-----END CERTIFICATE-----)?/g;

/** Findings for addresses and files that only starting, or the first connection, would show to be of no use. */
export function connectionFindings(config: Pick<TollgateConfig, 'server' | 'redis' | 'transport'>): Finding[] {
  return [...listenerFindings(config), ...storeFindings(config), ...authorityFindings(config)];
}

function listenerFindings({ server }: Pick<TollgateConfig, 'server'>): Finding[] {
  const findings = server.trustProxy.flatMap((entry, index): Finding[] => {
    if (isTrustEntry(entry)) return [];
    const message = 'is no IP address, no CIDR and no named range';
    const hint = 'for example 10.0.0.0/8, 192.0.2.7, or one of loopback, linklocal, uniquelocal';
    return [{ path: ['server', 'trustProxy', index], message, hint }];
  });
  if (isHost(server.host)) return findings;
  const message = 'is no host name and no IP address';
  const hint = 'for example 0.0.0.0 (all addresses of IPv4), :: (all), 127.0.0.1; without scheme, port and brackets';
  return [{ path: ['server', 'host'], message, hint }, ...findings];
}

function storeFindings({ redis }: Pick<TollgateConfig, 'redis'>): Finding[] {
  const nodes = redis.nodes.flatMap((node, index): Finding[] => {
    const hasPort = /^[^\s/@?#]+:\d+$/.test(node);
    if (hasPort && isStoreUrl(`redis://${node}`)) return [];
    return [{ path: ['redis', 'nodes', index], message: 'is not host:port', hint: 'for example redis-1:6379' }];
  });
  if (redis.url === undefined || isStoreUrl(redis.url)) return nodes;
  const message = 'is no usable address: it needs a host, a port of 1 to 65535 if any, and a database number if any';
  const hint =
    'for example redis://user:password@redis:6379/0; write /, @, : and % of a password as %2F, %40, %3A, %25';
  return [{ path: ['redis', 'url'], message, hint }, ...nodes];
}

function authorityFindings({ transport: { caFile } }: Pick<TollgateConfig, 'transport'>): Finding[] {
  if (caFile === undefined) return [];
  const path = ['transport', 'caFile'];
  const read = new FileReader().read(resolve(caFile), MAX_CA_BYTES);
  if ('fault' in read) {
    const hint = 'name a file this process may read; a relative path starts at its working directory';
    return [{ path, message: `the file ${caFile} ${read.fault}`, hint }];
  }
  const certificates = read.text.match(CERTIFICATE) ?? [];
  if (certificates.length > 0 && certificates.every(isCertificate)) return [];
  const hint = 'give whole blocks from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----';
  return [{ path, message: `the file ${caFile} holds no PEM certificate, or one that is broken`, hint }];
}

function isStoreUrl(text: string): boolean {
  try {
    const { hostname, port, pathname, username, password } = new URL(text);
    decodeURIComponent(username + password);
    return hostname !== '' && !/[%\s]/.test(hostname) && port !== '0' && /^(?:\/\d{0,5})?$/.test(pathname);
  } catch {
    return false;
  }
}

/** What Express's `trust proxy` takes in a list. */
function isTrustEntry(text: string): boolean {
  if (NAMED_RANGES.has(text)) return true;
  const [address = '', range, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  if (range === undefined) return true;
  if (family === 4 && isIPv4(range)) return isNetmask(range);
  return /^\d{1,3}$/.test(range) && Number(range) > 0 && Number(range) <= (family === 4 ? 32 : 128);
}

/** True for ones followed by zeros, of which there is at least one. */
function isNetmask(mask: string): boolean {
  const bits = mask
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('');
  return /^1+0*$/.test(bits);
}

/** True for an address, and for a name that is none written wrongly. */
function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  const labels = text.replace(/\.$/, '').split('.');
  return (
    text.length <= 253 &&
    labels.every((label) => /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? '')
  );
}

function isCertificate(block: string): boolean {
  try {
    return new X509Certificate(block).raw.length > 0;
  } catch {
    return false;
  }
}
