import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inputSchema } from '../../src/config/json-schema.js';
import { holdBackRestartKeys } from '../../src/config/reload-policy.js';
import { ERRORS } from '../../src/contract/errors.js';
import { KINDS } from '../../src/kinds.js';
import { configTables, errorTable, everyKeyChanged, withGenerated, type SchemaNode } from './reference-tables.ts';

const ROOT = join(__dirname, '../..');
const page = (name: string): string => readFileSync(join(ROOT, 'docs', name), 'utf8');

const sources = (): string[] =>
  readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /(?<!\.spec)\.ts$/.test(path) && !path.endsWith(join('contract', 'errors.ts')))
    .map((path) => readFileSync(join(ROOT, 'src', path), 'utf8'));

const schema = (): SchemaNode => inputSchema(KINDS.map(({ descriptor }) => descriptor));

const tables = (): string => {
  const { previous, next } = everyKeyChanged(schema());
  return configTables(schema(), new Set(holdBackRestartKeys(previous as never, next as never).heldBack));
};

describe('the reference (mend with: npx node scripts/reference-docs.mjs)', () => {
  it('docs/errors.md is what the error table says', () => {
    expect(page('errors.md')).toBe(withGenerated(page('errors.md'), 'errors', errorTable(ERRORS, sources())));
  });

  it('docs/configuration.md is what the schema says', () => {
    expect(page('configuration.md')).toBe(withGenerated(page('configuration.md'), 'keys', tables()));
  });

  it('tells every key, which changes wait for a restart, and the kinds of this build', () => {
    const text = tables();
    for (const section of Object.keys(schema().properties ?? {})) expect(text).toContain(`### ${section}\n`);
    for (const { descriptor } of KINDS) expect(text).toContain(`#### kind: ${descriptor.kind}\n`);
    expect(text).toMatch(/### redis\n\nA change counts at the next start\./);
    expect(text).toMatch(/### models\n\nA change counts as soon as the file is reloaded\./);
    expect(text).toMatch(/\| `port` \| integer, 0 to 65535 \| `8080` \|/);
    expect(text).toMatch(/\| `endpoint` \| text \| _required_ \|/);
  });

  it('refuses a key that nobody described', () => {
    const unknown: SchemaNode = {
      properties: {
        organisations: { additionalProperties: { properties: { limits: { description: 'Limits.' } } } },
        server: { properties: { novelty: { type: 'string' } } },
      },
    };
    expect(() => configTables(unknown, new Set())).toThrow('server.novelty');
  });

  it('names codes that nothing answers apart', () => {
    const row = { status: 418, domain: 'caller', retryable: false, message: 'Short and stout.' } as const;
    const text = errorTable({ invalid_json: row, overloaded: row }, ["throw new GatewayError('invalid_json')"]);
    expect(text).toContain('| `invalid_json` | 418 | caller | no | Short and stout. |');
    expect(text).toMatch(/nothing yet: `overloaded`\.$/);
  });

  it('refuses a page without its marks', () => {
    expect(() => withGenerated('# Page', 'errors', '')).toThrow('<!-- errors:begin -->');
  });
});
