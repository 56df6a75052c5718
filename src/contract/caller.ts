/** Limits of one scope; an absent limit does not exist, 0 refuses everything. */
export interface Limits {
  /** Requests admitted in any 60 seconds. */
  readonly requestsPerMinute?: number;
  /** Prompt and completion tokens admitted in any 60 seconds. */
  readonly tokensPerMinute?: number;
}

/** Who is asking, as the credential alone tells. */
export interface Caller {
  /** Which kind of credential was shown. */
  readonly method: 'key' | 'jwt';
  /** What limits are counted by: the key's id, or a hash of a token's issuer and subject. `[A-Za-z0-9_.-]{1,64}`. */
  readonly id: string;
  readonly organisation: string;
  readonly team?: string;
  readonly user?: string;
  /** Models the caller may use; absent = all of the organisation, empty = none. */
  readonly models?: ReadonlySet<string>;
  /** Labels a deployment must carry to serve this caller; absent = any deployment may. */
  readonly labels?: readonly string[];
  /** True = a request that would lose anything in translation is refused; absent = false. */
  readonly strict?: boolean;
  /** Limits of this caller; absent = none. */
  readonly limits: Limits;
}
