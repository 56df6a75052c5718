import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

/** Two provider kinds that exist in tests of the configuration alone. */
export const sampleKinds = [
  { kind: 'paper', settings: z.strictObject({ seed: z.int().optional() }) },
  { kind: 'cloud', settings: z.strictObject({ endpoint: z.url(), apiKey: z.string().min(1) }) },
];

/** What a file must hold so that a model can be called. */
export const sampleQuickStart = {
  providers: { desk: { kind: 'paper' } },
  models: { small: { deployments: [{ provider: 'desk', model: 'paper-1' }] } },
};

/** A file that uses most of what the schema offers. */
export const sampleYaml = `# A comment
server:
  port: \${PORT}
auth:
  pepper: \${PEPPER:-0123456789abcdef0123456789abcdef}
  jwt:
    - issuer: https://login.example.com/
      audience: tollgate
      jwksUri: https://login.example.com/keys
      claims: { organisation: org, team: team }
organisations:
  research:
    models: [small]
    limits: { requestsPerMinute: 600 }
    teams:
      vision: { limits: { tokensPerMinute: 100000 } }
      speech:
keys:
  - id: laptop
    hash: ${'ab'.repeat(32)}
    organisation: research
    team: vision
    models: [tiny]
    expiresAt: 2030-01-01T00:00:00Z
providers:
  desk: { kind: paper, seed: 7 }
  sky: { kind: cloud, endpoint: https://sky.example.com, apiKey: file:secrets/sky }
models:
  small:
    aliases: [tiny]
    deployments:
      - { provider: desk, model: paper-1, weight: 3 }
      - { provider: sky, model: sky-1, priority: 1, labels: [eu] }
`;

/** A new directory, and what removes it. */
export function temporaryDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'tollgate-config-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
