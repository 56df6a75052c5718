import { realpathSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { dirname } from 'node:path';
import { stampOf } from './file-reader.js';

/** How changes are noticed, in milliseconds. */
export interface WatchTiming {
  /** For how long the files must stay the same before a change counts. */
  readonly settleMs: number;
  /** How often they are looked at when the file system reports nothing. */
  readonly pollMs: number;
}

const DEFAULT_TIMING: WatchTiming = { settleMs: 100, pollMs: 5_000 };

/**
 * Calls back when files differ from a known state and have stopped changing. Watches their directories, so that
 * renames, swapped links and files that do not exist yet count; a poll covers what no event tells. It keeps no process
 * alive.
 */
export class FileWatcher {
  private readonly watchers = new Map<string, FSWatcher>();
  private known: ReadonlyMap<string, string> = new Map();
  private pending: string | undefined;
  private settling: NodeJS.Timeout | undefined;
  private polling: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(
    private readonly onChange: () => void,
    private readonly timing: WatchTiming = DEFAULT_TIMING,
  ) {}

  /** Watches these files, by path, from the given states on. Replaces what was watched before. */
  watch(stamps: ReadonlyMap<string, string>): void {
    if (this.isClosed) return;
    this.known = new Map(stamps);
    this.pending = undefined;
    this.polling ??= setInterval(() => this.look(), this.timing.pollMs).unref();
    // A directory may have been replaced under its name: watch what is there now.
    this.disarm();
    this.arm();
  }

  /** Compares the files with the known state soon. */
  look(): void {
    if (this.isClosed) return;
    this.settling ??= setTimeout(() => void this.compare(), this.timing.settleMs).unref();
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.settling);
    clearInterval(this.polling);
    this.disarm();
  }

  private disarm(): void {
    for (const watcher of this.watchers.values()) watcher.close();
    this.watchers.clear();
  }

  private async compare(): Promise<void> {
    const known = this.known;
    const changes: string[] = [];
    for (const [path, stamp] of known) {
      const present = await stampOf(path);
      if (present !== stamp) changes.push(`${path}=${present}`);
    }
    this.settling = undefined;
    if (this.isClosed || this.known !== known) return;
    this.arm();
    const state = changes.join('\n');
    if (state === '') this.pending = undefined;
    else if (state === this.pending) this.onChange();
    else {
      this.pending = state;
      this.look();
    }
  }

  /** Watches the directories that hold the files and, where a file is a link, what it leads to. */
  private arm(): void {
    const directories = new Set([...this.known.keys()].flatMap((path) => [dirname(path), targetDirectory(path)]));
    for (const [directory, watcher] of this.watchers) {
      if (directories.has(directory)) continue;
      watcher.close();
      this.watchers.delete(directory);
    }
    for (const directory of directories) {
      if (!this.watchers.has(directory)) this.watchDirectory(directory);
    }
  }

  /** Does nothing where the directory cannot be watched (absent, or no watches left): the poll tries again. */
  private watchDirectory(directory: string): void {
    try {
      const watcher = watch(directory, { persistent: false }, () => this.look());
      this.watchers.set(directory, watcher);
      watcher.on('error', () => {
        watcher.close();
        this.watchers.delete(directory);
      });
    } catch {
      return;
    }
  }
}

function targetDirectory(path: string): string {
  try {
    return dirname(realpathSync(path));
  } catch {
    return dirname(path);
  }
}
