import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { sampleKinds, sampleQuickStart, sampleYaml } from '../../test/support/config-samples.js';
import { configJsonSchema } from './json-schema.js';

const validate = new Ajv2020({ validateFormats: false, strictTypes: false }).compile(configJsonSchema(sampleKinds));
const faults = (document: unknown) =>
  validate(document) ? [] : (validate.errors ?? []).map((error) => error.instancePath);

describe('configJsonSchema', () => {
  it('accepts what the gateway accepts, references included', () => {
    const sample = parse(sampleYaml) as { organisations: { research: { teams: { speech: unknown } } } };
    // An editor checks what is written; the gateway reads a null as absent.
    sample.organisations.research.teams.speech = {};
    expect(faults(sample)).toEqual([]);
    expect(faults(sampleQuickStart)).toEqual([]);
    expect(faults({ redis: { url: '${REDIS_URL}', mode: '${MODE:-cluster}' }, server: { docs: '${DOCS}' } })).toEqual(
      [],
    );
  });

  it.each([
    ['an unknown key', { servr: {} }, ''],
    ['a wrong type', { server: { port: 'many' } }, '/server/port'],
    ['a number out of bounds', { server: { port: 70_000 } }, '/server/port'],
    ['an unknown kind', { providers: { p: { kind: 'none' } } }, '/providers/p'],
    ['a name that is none', { models: { 'a b': { deployments: [] } } }, '/models'],
    ['a model without deployments', { models: { a: { deployments: [] } } }, '/models/a/deployments'],
  ])('refuses %s', (_name, document, path) => {
    expect(faults(document)).toContain(path);
  });

  it('describes keys to the person who writes them', () => {
    const { server } = configJsonSchema(sampleKinds).properties ?? {};
    expect(server?.properties?.drainMs).toMatchObject({
      default: 30_000,
      description: expect.stringContaining('open'),
    });
  });
});
