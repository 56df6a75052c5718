import type { TollgateConfig } from './config.schema.js';
import { variable, type Environment } from './environment.js';

/** Hosts that are this machine: a proxy the environment names never stands between it and itself. */
const THIS_MACHINE = ['localhost', '127.0.0.1', '::1'];

function eitherCase(environment: Environment, name: string): string | undefined {
  return variable(environment, name) ?? variable(environment, name.toLowerCase());
}

/**
 * The transport's settings with the proxy of the environment where the file names none: HTTPS_PROXY, else ALL_PROXY,
 * and the exceptions of NO_PROXY, in either case of letters.
 */
export function withOutboundProxy(config: TollgateConfig, environment: Environment): TollgateConfig {
  const { transport } = config;
  const proxy = eitherCase(environment, 'HTTPS_PROXY') ?? eitherCase(environment, 'ALL_PROXY');
  if (transport.proxy !== undefined || proxy === undefined) return config;
  const excepted = (eitherCase(environment, 'NO_PROXY') ?? '').split(',').filter((entry) => entry.trim() !== '');
  const noProxy = [...transport.noProxy, ...excepted.map((entry) => entry.trim()), ...THIS_MACHINE];
  return { ...config, transport: { ...transport, proxy, noProxy } };
}
