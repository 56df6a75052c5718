import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Microseconds of one clock tick of /proc. */
const TICK_US = 1_000_000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** CPU a process has used since its start, user and system, all threads, in microseconds; in steps of one tick. */
export function cpuMicroseconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command, the second field, may hold spaces and parentheses; what follows its last one is plain.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

/** Resident memory of a process in KiB. */
export function residentKb(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (match === null) throw new Error(`process ${pid} has no resident memory`);
  return Number(match[1]);
}

/** Arguments of a Node process whose garbage `heldKb` can have collected. */
export const COLLECTING: readonly string[] = [
  '--expose-gc',
  `--import=${new URL('./collect-garbage.mjs', import.meta.url).href}`,
];

/** Resident memory of a process in KiB once its garbage is collected. */
export async function heldKb(pid: number): Promise<number> {
  for (let round = 0; round < 3; round++) {
    process.kill(pid, 'SIGUSR2');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  return residentKb(pid);
}
