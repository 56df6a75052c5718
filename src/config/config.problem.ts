/** Names and indexes from the document's root to a value. */
export type ConfigPath = readonly (string | number)[];

/** Where a value stands in the file; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** What a check found, before it is tied to a place in the file. */
export interface Finding {
  readonly path: ConfigPath;
  /** What is wrong. Never holds a resolved value: it may be a secret. */
  readonly message: string;
  /** What to do; absent = the message says it. */
  readonly hint?: string;
  /** True to point at the key instead of its value. */
  readonly atKey?: boolean;
  /** Set where the place is known already; absent = looked up by path. */
  readonly position?: Position;
}

/** One thing wrong with a configuration, with its place. */
export interface ConfigProblem {
  /** `models["gpt-4.1"].deployments[0].provider`; empty for the whole document. */
  readonly path: string;
  /** Absent where the configuration did not come from a file. */
  readonly position?: Position;
  readonly message: string;
  readonly hint?: string;
}

/** Longest list of problems that is told. */
const MAX_PROBLEMS = 50;

/** A configuration that cannot be used; `message` lists every problem with its place. */
export class ConfigError extends Error {
  constructor(
    /** File name, or what stands for it. */
    readonly source: string,
    readonly problems: readonly ConfigProblem[],
  ) {
    super(problems.map((problem) => formatProblem(source, problem)).join('\n'));
    this.name = 'ConfigError';
  }
}

/** Ties findings to their places and puts them in the file's order; `positionOf` is asked only for those that are told. */
export function toProblems(
  findings: readonly Finding[],
  positionOf: (path: ConfigPath, atKey: boolean) => Position | undefined,
): ConfigProblem[] {
  const told = findings.slice(0, MAX_PROBLEMS).map((finding): ConfigProblem => {
    const position = finding.position ?? positionOf(finding.path, finding.atKey ?? false);
    return {
      path: formatPath(finding.path),
      ...(position && { position }),
      message: finding.message,
      ...(finding.hint !== undefined && { hint: finding.hint }),
    };
  });
  const left = findings.length - told.length;
  told.sort((first, second) => place(first) - place(second));
  return left > 0 ? [...told, { path: '', message: `and ${left} more problems` }] : told;
}

/** Orders problems as they stand in the file; those without a place come first. */
function place({ position }: ConfigProblem): number {
  return position ? position.line * 1_000_000 + position.column : 0;
}

/** `file:line:column path: message (hint)`, leaving out what is not known. */
export function formatProblem(source: string, problem: ConfigProblem): string {
  const { path, position, message, hint } = problem;
  const place = position ? `${source}:${position.line}:${position.column}` : source;
  return `${place}${path && ` ${path}`}: ${message}${hint === undefined ? '' : ` (${hint})`}`;
}

/** Dots between plain names, brackets around everything else. */
export function formatPath(path: ConfigPath): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      if (!/^[A-Za-z0-9_-]{1,64}$/.test(step)) return `[${JSON.stringify(step.slice(0, 128))}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}
