import { generateApiKey, hashApiKey, parseApiKey } from '../contract/api-key.js';

/** What a new key is printed with. */
export interface NewKeyOptions {
  /** The gateway's pepper. With it the entry holds the key's hash; without it a reference to an environment variable. */
  readonly pepper?: string;
  /** Takes the text; default: standard output. */
  readonly write?: (text: string) => void;
}

/** Prints a new key, once, and the entry that lets it in. Keeps nothing. */
export function printNewKey(options: NewKeyOptions = {}): void {
  const { pepper, write = (text: string) => void process.stdout.write(text) } = options;
  const key = generateApiKey();
  const id = parseApiKey(key)?.publicId ?? '';
  write(
    pepper === undefined
      ? `${key}

This key is shown once. No pepper is known here, so give the key itself to the gateway:
  export TOLLGATE_KEY_${id}='${key}'
and add to tollgate.yaml:

keys:
  - id: "${id}"
    secret: \${TOLLGATE_KEY_${id}}
`
      : `${key}

This key is shown once. Add to tollgate.yaml:

keys:
  - id: "${id}"
    hash: "${hashApiKey(pepper, key)}"
`,
  );
}
