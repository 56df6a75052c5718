/** Where requests go and what they are. */
export interface Target {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the load process can be asked to do. */
export type LoadCommand =
  | { readonly type: 'requests'; readonly target: Target; readonly count: number; readonly concurrency: number }
  | {
      readonly type: 'streams';
      readonly target: Target;
      readonly count: number;
      /** Content chunks each stream brings at least. */
      readonly chunks: number;
      /** Milliseconds between them. */
      readonly gapMs: number;
    }
  | { readonly type: 'hold'; readonly target: Target; readonly count: number }
  | { readonly type: 'release' };

export interface RequestsAnswer {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface StreamsAnswer {
  /** Mean milliseconds between chunks as the client saw them. */
  readonly gapMs: number;
}

/** What each command is answered with. */
export interface LoadAnswers {
  readonly requests: RequestsAnswer;
  readonly streams: StreamsAnswer;
  readonly hold: null;
  readonly release: null;
}
