/** Variables by name; a variable that is not set is absent. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process. The only door to `process.env`. */
export function processEnvironment(): Environment {
  return process.env;
}

/** The variable's value; undefined where it is not set or empty. */
export function variable(environment: Environment, name: string): string | undefined {
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
  return value === '' ? undefined : value;
}
