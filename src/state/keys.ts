/** What may stand in a key: no braces, spaces or line ends can move a key to another slot or tenant. */
const SAFE = /^[A-Za-z0-9_.:/@-]{1,256}$/;

function checked(part: string): string {
  if (!SAFE.test(part)) throw new Error('an id that is not safe in a store key reached the key builder');
  return part;
}

/** The keys of one organisation. They share one hash tag, so that one script may touch them all on a cluster. */
export class TenantKeys {
  /** Reservations in flight by the time their lease ends. */
  readonly leases: string;
  /** The ledger. */
  readonly ledger: string;
  readonly #base: string;

  constructor(base: string) {
    this.#base = base;
    this.leases = `${base}:rx`;
    this.ledger = `${base}:us`;
  }

  /** The record of one reservation; `requestId` is ours, made of letters and digits. */
  reservation(requestId: string): string {
    return `${this.#base}:rv:${requestId}`;
  }

  /** A sliding window of a scope (`org`, `t<team>`, `k<key>`, `j<token subject>`). */
  window(scope: string, unit: 'rpm' | 'tpm'): string {
    return `${this.#base}:w:${checked(scope)}:${unit}`;
  }

  /** The concurrency leases of a scope. */
  concurrency(scope: string): string {
    return `${this.#base}:c:${checked(scope)}`;
  }

  /** The budget of a scope in one window (`2026-09`, `d2026-09-24`, `tot`). */
  budget(scope: string, windowId: string): string {
    return `${this.#base}:b:${checked(scope)}:${checked(windowId)}`;
  }
}

/** The only place where store keys are built. All start with the schema version (`redis.keyPrefix`, default `g1`). */
export class Keys {
  readonly #tenants = new Map<string, TenantKeys>();

  constructor(private readonly prefix = 'g1') {}

  /** The keys of an organisation; the same object for the same organisation. */
  tenant(organisation: string): TenantKeys {
    let tenant = this.#tenants.get(organisation);
    if (tenant === undefined) {
      tenant = new TenantKeys(`${this.prefix}:{o:${checked(organisation)}}`);
      this.#tenants.set(organisation, tenant);
    }
    return tenant;
  }

  /** A key (or pub/sub channel) that belongs to no tenant: `kind` says of what, `id` of which one. */
  shared(kind: string, id?: string): string {
    return id === undefined ? `${this.prefix}:${checked(kind)}` : `${this.prefix}:${checked(kind)}:${checked(id)}`;
  }
}
