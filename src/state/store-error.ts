/**
 * What is known of a call that failed: `none` = it was never sent or the store refused it whole, `unknown` = it may
 * have been carried out, or may still be.
 */
export type CallOutcome = 'none' | 'unknown';

/** The store did not answer in time, is not connected, or cannot write now. */
export class StoreUnavailableError extends Error {
  constructor(
    message: string,
    readonly outcome: CallOutcome,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StoreUnavailableError';
  }
}

/** The store answered with an error that waiting does not cure: a script's defect or a key of the wrong type. */
export class StoreReplyError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StoreReplyError';
  }
}

/** Replies that mean "this server cannot serve writes now"; the command itself was refused whole. */
const CANNOT_SERVE =
  /^(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|OOM|NOREPLICAS|MISCONF|BUSY|NOAUTH|WRONGPASS|UNKILLABLE)\b/;

/** A client error as one of ours. Replies of the server are told apart by their leading word. */
export function toStoreError(error: unknown): StoreUnavailableError | StoreReplyError {
  if (error instanceof StoreUnavailableError || error instanceof StoreReplyError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const isReply = error instanceof Error && error.name === 'ReplyError';
  if (!isReply) {
    const outcome = message.startsWith("Stream isn't writeable") ? 'none' : 'unknown';
    return new StoreUnavailableError('The store is not connected.', outcome, error);
  }
  if (CANNOT_SERVE.test(message)) return new StoreUnavailableError('The store cannot serve now.', 'none', error);
  return new StoreReplyError(message, error);
}
