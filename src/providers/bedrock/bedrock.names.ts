import { createHash } from 'node:crypto';

const TOOL_NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const TOOL_USE_ID = /^[a-zA-Z0-9_.:-]{1,64}$/;
const SHORT_ID_LENGTH = 9;

/**
 * Tool names as Bedrock allows them. A name that is not allowed loses what is not; the answer's calls get the
 * caller's name back by `renamed`. One instance serves one request.
 */
export class ToolNames {
  /** Name on the wire to the caller's, for names that had to change. */
  readonly renamed = new Map<string, string>();
  private readonly byOriginal = new Map<string, string>();

  onWire(name: string): string {
    if (TOOL_NAME.test(name) && !this.renamed.has(name)) return name;
    const known = this.byOriginal.get(name);
    if (known !== undefined) return known;
    const base = name.replace(/[^a-zA-Z0-9_-]/g, '').slice(0, 60) || '_';
    let wire = base;
    for (let count = 2; this.isTaken(wire); count += 1) wire = `${base}_${count}`;
    this.byOriginal.set(name, wire);
    this.renamed.set(wire, name);
    return wire;
  }

  /** Keeps names free that callers gave and that are allowed as they are. */
  reserve(names: readonly string[]): void {
    for (const name of names) if (TOOL_NAME.test(name)) this.byOriginal.set(name, name);
  }

  private isTaken(wire: string): boolean {
    return this.renamed.has(wire) || this.byOriginal.get(wire) === wire;
  }
}

/** Ids of tool calls as the model allows them, each the same wherever it stands. One instance serves one request. */
export class ToolUseIds {
  private readonly byOriginal = new Map<string, string>();
  private readonly taken = new Set<string>();

  /** `isShort` = only nine letters and digits are allowed, as Mistral has it. */
  constructor(private readonly isShort: boolean) {}

  onWire(id: string): string {
    if (!this.isShort) return TOOL_USE_ID.test(id) ? id : `call_${digest(id).slice(0, 32)}`;
    const known = this.byOriginal.get(id);
    if (known !== undefined) return known;
    let wire = id.replace(/[^a-zA-Z0-9]/g, '').slice(0, SHORT_ID_LENGTH);
    for (let seed = id; wire.length < SHORT_ID_LENGTH || this.taken.has(wire); seed += '.') {
      wire = digest(seed).slice(0, SHORT_ID_LENGTH);
    }
    this.taken.add(wire);
    this.byOriginal.set(id, wire);
    return wire;
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
