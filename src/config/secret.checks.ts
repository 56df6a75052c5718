import { API_KEY_PREFIX, hashApiKey, parseApiKey } from '../contract/api-key.js';
import { FOREIGN_SECRET_LENGTH, isForeignSecret } from '../contract/foreign-secret.js';
import type { ConfigPath, Finding } from './config.problem.js';
import { formatPath } from './config.problem.js';
import type { KeyConfig, TollgateConfig } from './config.schema.js';

/** Findings for secrets that no key may be, and for hashes of keys that are given as secrets too. */
export function secretFindings(keys: readonly KeyConfig[], auth: TollgateConfig['auth']): Finding[] {
  const findings = keys.flatMap(({ secret }, index): Finding[] =>
    secret === undefined || parseApiKey(secret) !== undefined || isForeignSecret(secret)
      ? []
      : [unusable(secret, ['keys', index, 'secret'])],
  );
  return [...findings, ...givenTwice(keys, auth)];
}

function unusable(secret: string, path: ConfigPath): Finding {
  if (secret.startsWith(API_KEY_PREFIX)) {
    const message = `starts with "${API_KEY_PREFIX}" and is no Tollgate key: its length, characters or checksum are wrong`;
    return { path, message, hint: 'copy the key whole; "npm run key:new" makes a new one' };
  }
  const { min, max } = FOREIGN_SECRET_LENGTH;
  const message = `is neither a Tollgate key nor another secret of ${min} to ${max} printable characters`;
  return { path, message, hint: '"npm run key:new" makes a key' };
}

function givenTwice(keys: readonly KeyConfig[], { pepper, previousPepper }: TollgateConfig['auth']): Finding[] {
  if (keys.every(({ hash }) => hash === undefined)) return [];
  const peppers = [pepper, previousPepper].filter((each) => each !== undefined);
  const owners = new Map<string, ConfigPath>();
  for (const [index, { secret }] of keys.entries()) {
    if (secret === undefined || parseApiKey(secret) === undefined) continue;
    for (const each of peppers) owners.set(hashApiKey(each, secret), ['keys', index, 'secret']);
  }
  return keys.flatMap(({ hash }, index): Finding[] => {
    const owner = hash === undefined ? undefined : owners.get(hash);
    if (owner === undefined) return [];
    return [
      { path: ['keys', index, 'hash'], message: `the same key as ${formatPath(owner)}`, hint: 'remove one of them' },
    ];
  });
}
