import type { ConfigPath, Finding } from './config.problem.js';
import type { TollgateConfig } from './config.schema.js';
import { connectionFindings } from './connection.checks.js';
import { allowListFindings, duplicateFindings, membershipFindings, modelNames, undeclared } from './declared.checks.js';
import { issuerFindings } from './issuer.checks.js';
import { unmetLabels, unreachableLimits } from './reachable.checks.js';
import { secretFindings } from './secret.checks.js';

/** What a schema cannot see: names that lead nowhere, names given twice, and settings that exclude each other. */
export function configFindings(config: TollgateConfig): Finding[] {
  const models = modelNames(config);
  return [
    ...serverFindings(config),
    ...redisFindings(config),
    ...connectionFindings(config),
    ...modelFindings(config),
    ...Object.entries(config.organisations).flatMap(([id, organisation]) =>
      allowListFindings(models, organisation.models, ['organisations', id, 'models']),
    ),
    ...keyFindings(config),
    ...config.keys.flatMap((key, index) => allowListFindings(models, key.models, ['keys', index, 'models'])),
    ...issuerFindings(config),
    ...unreachableLimits(config),
    ...unmetLabels(config),
  ];
}

function serverFindings({ server }: TollgateConfig): Finding[] {
  const ports = (['port', 'adminPort', 'metricsPort'] as const).filter((name) => server[name] !== 0);
  return ports.flatMap((name, index): Finding[] => {
    const same = ports.slice(0, index).find((other) => server[other] === server[name]);
    return same === undefined ? [] : [{ path: ['server', name], message: `the same port as server.${same}` }];
  });
}

function redisFindings({ redis, auth }: TollgateConfig): Finding[] {
  const findings: Finding[] = [];
  if (redis.url !== undefined && auth.pepper === undefined) {
    const hint = 'for example from "openssl rand -hex 32", given as a ${ENV} or file: reference';
    findings.push({ path: ['auth', 'pepper'], message: 'is required with redis.url', hint });
  }
  if (auth.previousPepper !== undefined && auth.pepper === undefined) {
    findings.push({ path: ['auth', 'previousPepper'], message: 'needs auth.pepper beside it' });
  }
  if (redis.mode !== 'standalone' && redis.url === undefined) {
    findings.push({ path: ['redis', 'mode'], message: `"${redis.mode}" needs redis.url` });
  }
  if (redis.mode === 'sentinel' && redis.sentinelName === undefined) {
    findings.push({ path: ['redis', 'sentinelName'], message: 'is required in sentinel mode' });
  }
  return findings;
}

function modelFindings(config: TollgateConfig): Finding[] {
  const owners = new Map(Object.keys(config.models).map((name) => [name, name]));
  return Object.entries(config.models).flatMap(([name, model]) => {
    const aliases = model.aliases.flatMap((alias, index): Finding[] => {
      const owner = owners.get(alias);
      if (owner === undefined) owners.set(alias, name);
      if (owner === undefined) return [];
      return [{ path: ['models', name, 'aliases', index], message: `"${alias}" already names the model "${owner}"` }];
    });
    const providers = model.deployments.flatMap(({ provider }, index): Finding[] => {
      if (Object.hasOwn(config.providers, provider)) return [];
      const path = ['models', name, 'deployments', index, 'provider'];
      return [undeclared(path, 'provider', provider, Object.keys(config.providers))];
    });
    return [...aliases, ...providers];
  });
}

function keyFindings({ keys, organisations, auth, redis }: TollgateConfig): Finding[] {
  const texts = (property: 'id' | 'hash' | 'secret') =>
    keys.flatMap((key, index): { text: string; path: ConfigPath }[] => {
      const text = key[property];
      return text === undefined ? [] : [{ text, path: ['keys', index, property] }];
    });
  const [byHash] = texts('hash');
  const lacksPepper = byHash !== undefined && auth.pepper === undefined && redis.url === undefined;
  return [
    ...duplicateFindings(texts('id'), 'id'),
    ...duplicateFindings(texts('hash'), 'hash'),
    ...duplicateFindings(texts('secret'), 'secret'),
    ...secretFindings(keys, auth),
    ...keys.flatMap((key, index) => membershipFindings(organisations, key, ['keys', index])),
    ...(lacksPepper ? [unpeppered(byHash.path)] : []),
  ];
}

function unpeppered(path: ConfigPath): Finding {
  const message = 'a key by hash needs auth.pepper: its hash was made under it';
  return { path, message, hint: 'set auth.pepper, or give the key as "secret"' };
}
