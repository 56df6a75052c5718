import { createHash } from 'node:crypto';

const TOOL_NAME = /^[a-zA-Z0-9_-]{1,128}$/;
const TOOL_USE_ID = /^[a-zA-Z0-9_-]+$/;

/**
 * Tool names as the API allows them. A name that is not allowed loses what is not; the answer's calls get the
 * caller's name back by `renamed`. One instance serves one request.
 */
export class ToolNames {
  /** Name on the wire to the caller's, for names that had to change. */
  readonly renamed = new Map<string, string>();
  private readonly changed = new Map<string, string>();
  private readonly kept: ReadonlySet<string>;

  /** `names`: those of the request's tools; the allowed ones are kept free for themselves. */
  constructor(names: readonly string[]) {
    this.kept = new Set(names.filter((name) => TOOL_NAME.test(name)));
  }

  onWire(name: string): string {
    if (this.kept.has(name) || (TOOL_NAME.test(name) && !this.renamed.has(name))) return name;
    const known = this.changed.get(name);
    if (known !== undefined) return known;
    const base = name.replace(/[^a-zA-Z0-9_-]/g, '').slice(0, 124) || '_';
    let wire = base;
    for (let count = 2; this.kept.has(wire) || this.renamed.has(wire); count += 1) wire = `${base}_${count}`;
    this.changed.set(name, wire);
    this.renamed.set(wire, name);
    return wire;
  }
}

/** A tool call's id as the API allows it: itself, or a digest of it when it has other characters. */
export function toolUseId(id: string): string {
  if (TOOL_USE_ID.test(id)) return id;
  return `toolu_${createHash('sha256').update(id).digest('hex').slice(0, 24)}`;
}
