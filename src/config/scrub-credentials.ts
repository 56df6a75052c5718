/**
 * What credentials look like: our keys, bearer tokens, signed tokens, the key forms that clouds publish for secret
 * scanners, and passwords in URLs.
 */
const CREDENTIALS = new RegExp(
  [
    String.raw`\b(tg_[0-9A-Za-z]{8}_)[0-9A-Za-z_]{20,}`,
    String.raw`\b(Bearer |Basic )[\w.~+/=-]{8,}`,
    String.raw`\b(eyJ)[\w-]{8,}\.[\w-]+\.[\w-]*`,
    String.raw`\b(sk-)[\w-]{16,}`,
    String.raw`\b(AKIA|ASIA)[0-9A-Z]{16}\b`,
    String.raw`\b(AIza)[\w-]{35}`,
    String.raw`(\/\/[^\s/:@"]{0,64}:)[^\s/@"]{1,256}(?=@)`,
  ].join('|'),
  'g',
);

/** The text with every credential in it masked behind its recognisable beginning. */
export function scrubCredentials(text: string): string {
  return text.replace(CREDENTIALS, (_match: string, ...groups: unknown[]) => {
    const beginning = groups.slice(0, 7).find((group) => typeof group === 'string');
    return `${String(beginning)}***`;
  });
}
