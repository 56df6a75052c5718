import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
}

/** A CPU profile as V8 writes it; times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const TOP = 30;
/** Frames in which no code runs. */
const IDLE = new Set(['(idle)', '(program)', '(root)']);

/** Whose code a frame is: a folder of ours, a package, Node, or the engine. */
export function categoryOf({ callFrame: { functionName, url } }: ProfileNode): string {
  if (url === '') return functionName === '(garbage collector)' ? 'garbage collector' : 'native code and system calls';
  if (url.startsWith('node:'))
    return `node ${
      url
        .slice('node:'.length)
        .replace(/^internal\//, '')
        .split('/')[0] ?? ''
    }`;
  const modules = url.lastIndexOf('/node_modules/');
  if (modules !== -1) {
    const [scope = '', name = ''] = url.slice(modules + '/node_modules/'.length).split('/');
    return scope.startsWith('@') ? `${scope}/${name}` : scope;
  }
  const ours = /\/dist\/([^/]+)(?:\/([^/]+)\/[^/]+)?/.exec(url);
  return ours === null ? 'other' : `ours ${[ours[1], ours[2]].filter(Boolean).join('/')}`;
}

/** Self time by key in microseconds, most first, of what was sampled after `skipUs`. */
export function selfTimes(
  profile: CpuProfile,
  skipUs: number,
  keyOf: (node: ProfileNode) => string,
): [key: string, us: number][] {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const totals = new Map<string, number>();
  let at = 0;
  profile.samples.forEach((id, index) => {
    const delta = profile.timeDeltas[index] ?? 0;
    at += delta;
    const node = nodes.get(id);
    if (node === undefined || at < skipUs || IDLE.has(node.callFrame.functionName)) return;
    const key = keyOf(node);
    totals.set(key, (totals.get(key) ?? 0) + delta);
  });
  return [...totals].sort(([, left], [, right]) => right - left);
}

function placeOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const file = url.split('/').slice(-2).join('/');
  return `${functionName === '' ? '(anonymous)' : functionName}${file === '' ? '' : `  ${file}:${lineNumber + 1}`}`;
}

function print(title: string, times: readonly (readonly [string, number])[]): void {
  const total = times.reduce((sum, [, us]) => sum + us, 0);
  console.log(`\n${title}`);
  for (const [key, us] of times.slice(0, TOP)) {
    console.log(`  ${((100 * us) / total).toFixed(1).padStart(5)} %  ${key}`);
  }
}

/** Prints where the gateway's time went, without that of its start, from the newest profile of a folder. */
export function printProfile(directory: string, startUpMs: number): void {
  const files = readdirSync(directory)
    .filter((name) => name.endsWith('.cpuprofile'))
    .map((name) => join(directory, name))
    .sort((left, right) => statSync(right).mtimeMs - statSync(left).mtimeMs);
  const [newest] = files;
  if (newest === undefined) throw new Error(`the gateway left no profile in ${directory}`);
  const profile = JSON.parse(readFileSync(newest, 'utf8')) as CpuProfile;
  print('self time by owner', selfTimes(profile, startUpMs * 1_000, categoryOf));
  print('self time by function', selfTimes(profile, startUpMs * 1_000, placeOf));
  console.log(`\n${newest}`);
}
