/** A fenced block of a page. */
export interface FencedBlock {
  /** First word after the fence; '' = none. */
  readonly language: string;
  readonly text: string;
  /** 1-based line of the opening fence. */
  readonly line: number;
  /** The next block follows with nothing but blank lines between. */
  readonly isFollowed: boolean;
}

/** A link as it is written; anchors included. */
export interface PageLink {
  readonly target: string;
  /** 1-based. */
  readonly line: number;
}

interface OpenBlock {
  readonly language: string;
  readonly line: number;
  readonly lines: string[];
}

/** The fenced blocks of a page, in order. Fences are three backticks at the start of a line. */
export function fencedBlocks(page: string): FencedBlock[] {
  const blocks: FencedBlock[] = [];
  let open: OpenBlock | undefined;
  let isAdjacent = false;
  for (const [index, line] of page.split('\n').entries()) {
    if (open === undefined && line.startsWith('```')) {
      const previous = blocks.at(-1);
      if (isAdjacent && previous !== undefined) blocks[blocks.length - 1] = { ...previous, isFollowed: true };
      open = { language: line.slice(3).trim().split(/\s+/)[0] ?? '', line: index + 1, lines: [] };
    } else if (open !== undefined && line.trimEnd() === '```') {
      const { language, line: first, lines } = open;
      blocks.push({ language, text: lines.join('\n'), line: first, isFollowed: false });
      open = undefined;
      isAdjacent = true;
    } else if (open !== undefined) {
      open.lines.push(line);
    } else if (line.trim() !== '') {
      isAdjacent = false;
    }
  }
  if (open !== undefined) throw new Error(`the block of line ${open.line} is not closed`);
  return blocks;
}

/** A page without its fenced blocks; lines keep their numbers. */
export function proseOf(page: string): string {
  let isInside = false;
  return page
    .split('\n')
    .map((line) => {
      const isFence = line.startsWith('```');
      const isProse = !isInside && !isFence;
      if (isFence) isInside = !isInside;
      return isProse ? line : '';
    })
    .join('\n');
}

/** The links of a page's prose, images too; what stands in code is none. */
export function linksOf(page: string): PageLink[] {
  return proseOf(page)
    .split('\n')
    .flatMap((line, index) =>
      [...line.replace(/`[^`]*`/g, '').matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = '']) => ({
        target,
        line: index + 1,
      })),
    );
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(page: string): Set<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const [, heading = ''] of proseOf(page).matchAll(/^#{1,6} +(.+)$/gm)) {
    const slug = heading
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}

/** The commands of a shell block: continued lines joined, comments dropped, split at `&&`. */
export function commandsOf(block: string): string[] {
  return block
    .replace(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.replace(/\s+#\s.*$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) => line.split(/ && /).map((command) => command.trim()));
}
