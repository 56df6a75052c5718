import { Injectable } from '@nestjs/common';

/** Says whether requests may come. It waits for nothing and asks nobody: every check answers from memory. */
@Injectable()
export class Readiness {
  private started = false;
  private draining = false;
  private readonly checks = new Map<string, () => boolean>();

  /** Start-up is done: the listeners are open and the configuration is loaded. */
  setReady(): void {
    this.started = true;
  }

  /** The process is to end; it is never ready again. */
  startDraining(): void {
    this.draining = true;
  }

  /** Adds a condition: false, or a throw, makes the gateway not ready with `name` as the reason. */
  addCheck(name: string, check: () => boolean): void {
    this.checks.set(name, check);
  }

  /** Why requests may not come; empty = they may. */
  reasons(): readonly string[] {
    const reasons: string[] = [];
    if (!this.started) reasons.push('starting');
    if (this.draining) reasons.push('draining');
    for (const [name, check] of this.checks) if (!passes(check)) reasons.push(name);
    return reasons;
  }
}

function passes(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}
