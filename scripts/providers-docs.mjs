// Writes the tables of docs/providers.md anew from what the contract suite holds every provider kind to.
import { readFileSync, writeFileSync } from 'node:fs';
import { CAPABILITIES } from '../test/contract/capabilities.ts';
import { capabilityTables } from '../test/docs/capability-table.ts';
import { withGenerated } from '../test/docs/reference-tables.ts';

const page = new URL('../docs/providers.md', import.meta.url);
const tables = capabilityTables(Object.values(CAPABILITIES));
writeFileSync(page, withGenerated(readFileSync(page, 'utf8'), 'capabilities', tables));
