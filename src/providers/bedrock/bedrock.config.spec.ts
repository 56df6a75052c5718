import { z } from 'zod';
import { bedrockSettings } from './bedrock.config.js';

const keys = { accessKeyId: 'a', secretAccessKey: 's' };
const role = { roleArn: 'arn:aws:iam::123456789012:role/gate' };
const parse = (more: object) => bedrockSettings.safeParse({ region: 'eu-central-1', ...more });

describe('bedrockSettings', () => {
  it.each([
    {},
    { credentials: keys },
    { credentials: { ...keys, sessionToken: 't' } },
    { credentials: { assumeRole: { ...role, externalId: 'x1' } } },
    { credentials: { apiKey: 'k' } },
    { endpoint: 'https://vpce.example.com/bedrock' },
    { endpoint: 'http://127.0.0.1:8080' },
    { region: 'us-gov-west-1' },
    { baseModels: { 'arn:aws:bedrock:x': 'anthropic.claude-sonnet-4-5' } },
  ])('accepts %j', (more) => {
    expect(parse(more).success).toBe(true);
  });

  it.each([
    [{ credentials: {} }, 'exactly one'],
    [{ credentials: { ...keys, apiKey: 'k' } }, 'exactly one'],
    [{ credentials: { accessKeyId: 'a' } }, 'together'],
    [{ credentials: { apiKey: 'k', sessionToken: 't' } }, 'sessionToken'],
    [{ credentials: { assumeRole: { roleArn: 'gate' } } }, 'arn:aws:iam'],
    [{ endpoint: 'http://example.com' }, 'https'],
    [{ region: 'Frankfurt' }, 'eu-central-1'],
    [{ regoin: 'x' }, 'regoin'],
  ])('refuses %j and says why', (more, why) => {
    const result = parse(more);
    expect(result.success).toBe(false);
    expect(JSON.stringify(result.error?.issues)).toContain(why);
  });

  it('can be told as JSON Schema and be extended by the kind', () => {
    expect(() => z.toJSONSchema(bedrockSettings.extend({ kind: z.literal('bedrock') }).strict())).not.toThrow();
  });
});
