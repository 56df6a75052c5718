/** Port a URL without one means. */
const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

function matches(entry: string, hostname: string, port: string): boolean {
  const [, rule = '', rulePort] =
    /^(.*?)(?::(\d+))?$/.exec(
      entry
        .trim()
        .toLowerCase()
        .replace(/^\[(.*)\]/, '$1'),
    ) ?? [];
  const isAddress = rule.includes(':');
  if (!isAddress && rulePort !== undefined && rulePort !== port) return false;
  const name = isAddress
    ? entry
        .trim()
        .toLowerCase()
        .replace(/^\[|\]$/g, '')
    : rule;
  if (name === '') return false;
  if (name === '*') return true;
  const suffix = name.replace(/^\*?\./, '');
  return hostname === suffix || hostname.endsWith(`.${suffix}`);
}

/**
 * True when an origin is reached without the proxy. Entries are hosts as NO_PROXY has them: `example.com` and
 * `.example.com` and `*.example.com` mean the host and all below it, `host:8080` that port alone, `*` everything.
 */
export function bypassesProxy(origin: string, entries: readonly string[]): boolean {
  const url = new URL(origin);
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? (DEFAULT_PORTS[url.protocol] ?? '') : url.port;
  return entries.some((entry) => matches(entry, hostname, port));
}
