import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';

type Node = { [key: string]: JsonValue } | JsonValue[];

const STEP = /\.([^.[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/y;

/**
 * Arguments of one call that come in fragments: a JSON path and a value each, texts possibly in several pieces. A
 * path that fits nothing is `provider_bad_response`, for guessed arguments would be run.
 */
export class PartialArguments {
  private readonly root: { [key: string]: JsonValue };
  /** Path of the text that goes on; undefined = none does. */
  private openPath: string | undefined;

  /** @param args what the call itself gave already. */
  constructor(args: JsonObject) {
    // Without prototype, so that no key has a meaning of its own.
    this.root = Object.assign(Object.create(null) as { [key: string]: JsonValue }, structuredClone(args));
  }

  /** Takes the fragments of one event. */
  add(fragments: readonly JsonValue[]): void {
    for (const fragment of fragments) if (isJsonObject(fragment)) this.set(fragment);
  }

  /** The arguments so far as JSON text. */
  toJson(): string {
    return JSON.stringify(this.root);
  }

  private set(fragment: JsonObject): void {
    const { jsonPath, willContinue } = fragment;
    if (typeof jsonPath !== 'string') throw new GatewayError('provider_bad_response');
    const value = valueOf(fragment);
    const steps = stepsOf(jsonPath);
    const last = steps.pop();
    if (last === undefined) throw new GatewayError('provider_bad_response');
    let node: Node = this.root;
    for (const [index, step] of steps.entries()) node = descend(node, step, steps[index + 1] ?? last);
    const before = read(node, last);
    const goesOn = this.openPath === jsonPath && typeof before === 'string' && typeof value === 'string';
    write(node, last, goesOn ? before + value : value);
    this.openPath = willContinue === true ? jsonPath : undefined;
  }
}

function valueOf(fragment: JsonObject): JsonValue {
  for (const key of ['stringValue', 'numberValue', 'boolValue', 'intValue', 'doubleValue']) {
    const value = fragment[key];
    if (value !== undefined) return value;
  }
  return 'nullValue' in fragment ? null : '';
}

/** `$.a[0]['b c']` as its steps; numbers are places in lists. */
function stepsOf(path: string): (string | number)[] {
  if (!path.startsWith('$')) throw new GatewayError('provider_bad_response');
  const steps: (string | number)[] = [];
  STEP.lastIndex = 1;
  for (let end = 1; end < path.length; end = STEP.lastIndex) {
    const match = STEP.exec(path);
    if (match === null) throw new GatewayError('provider_bad_response');
    const [, name, place, single, double] = match;
    steps.push(place === undefined ? (name ?? (single ?? double ?? '').replaceAll(/\\(.)/g, '$1')) : Number(place));
  }
  return steps;
}

function descend(node: Node, step: string | number, next: string | number): Node {
  const known = read(node, step);
  if (typeof known === 'object' && known !== null) return known as Node;
  const created: Node = typeof next === 'number' ? [] : (Object.create(null) as { [key: string]: JsonValue });
  write(node, step, created);
  return created;
}

function read(node: Node, step: string | number): JsonValue | undefined {
  if (Array.isArray(node)) return typeof step === 'number' ? node[step] : undefined;
  return typeof step === 'string' && Object.hasOwn(node, step) ? node[step] : undefined;
}

/** Lists grow by one place at a time: a far place would cost memory for nothing. */
function write(node: Node, step: string | number, value: JsonValue): void {
  if (Array.isArray(node) && typeof step === 'number' && step <= node.length) node[step] = value;
  else if (!Array.isArray(node) && typeof step === 'string') node[step] = value;
  else throw new GatewayError('provider_bad_response');
}
