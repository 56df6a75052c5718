import { Injectable } from '@nestjs/common';
import type { TollgateConfig } from './config.schema.js';

/** A configuration in force at some time. Frozen: a request that holds one sees no change in it. */
export interface ConfigSnapshot {
  /** Counts the snapshots of this process, from 1. */
  readonly version: number;
  /** SHA-256 of the configuration document's text, in hex; the same on every replica that read the same file. */
  readonly sha: string;
  readonly source: 'file' | 'quick-start';
  /** `auth.pepper` is always set, and the organisation `default` always exists. */
  readonly config: TollgateConfig;
}

/** How the last attempt to read the configuration ended. */
export interface ReloadReport {
  readonly result: 'success' | 'failure';
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Every problem with its place; only of a failure. */
  readonly error?: string;
  /** Keys whose change waits for a restart. */
  readonly heldBack: readonly string[];
}

type SnapshotListener = (next: ConfigSnapshot, previous: ConfigSnapshot) => void;
type ReloadListener = (report: ReloadReport) => void;

/** Holds the configuration in force. It does not read files: ConfigReloader does. */
@Injectable()
export class ConfigStore {
  private snapshot: ConfigSnapshot;
  private report: ReloadReport;
  private readonly snapshotListeners = new Set<SnapshotListener>();
  private readonly reloadListeners = new Set<ReloadListener>();

  constructor(
    initial: ConfigSnapshot,
    /** The key generated in quick-start mode, to be printed once; absent otherwise. */
    readonly quickStartKey?: string,
  ) {
    this.snapshot = initial;
    this.report = { result: 'success', atMs: Date.now(), heldBack: [] };
  }

  /** The configuration in force. Take it once per request. */
  get current(): ConfigSnapshot {
    return this.snapshot;
  }

  /** The last attempt to read the configuration; at first the one at start. */
  get lastReload(): ReloadReport {
    return this.report;
  }

  /** Calls the listener after every change, in the order of subscription. Returns the way out. */
  subscribe(listener: SnapshotListener): () => void {
    this.snapshotListeners.add(listener);
    return () => this.snapshotListeners.delete(listener);
  }

  /** Calls the listener after every attempt to reload, also a failed one. Returns the way out. */
  onReload(listener: ReloadListener): () => void {
    this.reloadListeners.add(listener);
    return () => this.reloadListeners.delete(listener);
  }

  /** Puts a configuration in force and tells the subscribers. Returns what subscribers threw; none stops the others. */
  replace(next: Pick<ConfigSnapshot, 'sha' | 'config'>): unknown[] {
    const previous = this.snapshot;
    const snapshot = Object.freeze({ ...previous, ...next, version: previous.version + 1 });
    this.snapshot = snapshot;
    return callAll(this.snapshotListeners, (listener) => listener(snapshot, previous));
  }

  /** Records how an attempt to reload ended. Returns what listeners threw. */
  recordReload(report: ReloadReport): unknown[] {
    this.report = report;
    return callAll(this.reloadListeners, (listener) => listener(report));
  }
}

function callAll<Listener>(listeners: Iterable<Listener>, call: (listener: Listener) => void): unknown[] {
  const thrown: unknown[] = [];
  for (const listener of [...listeners]) {
    try {
      call(listener);
    } catch (error) {
      thrown.push(error);
    }
  }
  return thrown;
}
