import type { MetricSpec } from './metric-contract.js';

const BEGIN = '<!-- metrics:begin -->';
const END = '<!-- metrics:end -->';

/** The contract as a Markdown table. */
export function metricTable(prefix: string, metrics: Readonly<Record<string, MetricSpec>>): string {
  const rows = Object.entries(metrics).map(([name, { type, labels, help, buckets }]) => {
    const bounds = buckets === undefined ? '' : ` Buckets: ${buckets.join(', ')}.`;
    return `| \`${prefix}${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help}${bounds} |`;
  });
  return ['| metric | type | labels | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** A page with the text between its marks replaced by `table`; throws where a mark is missing. */
export function withTable(page: string, table: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`the page needs the marks ${BEGIN} and ${END}, in this order`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n<!-- prettier-ignore -->\n${table}\n\n${page.slice(end)}`;
}
