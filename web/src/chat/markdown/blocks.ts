/**
 * Splits markdown into blocks that can be rendered, and remembered, one by one.
 *
 * A cut is made at a blank line before a line that starts at the margin, outside fences. Indented lines and further
 * items belong to the list they follow, or it would be numbered anew. While text streams in, only the last block
 * changes.
 */

const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/;
const ITEM = /^ {0,3}(?:[-*+]|\d{1,9}[.)])(?:\s|$)/;
const DEFINITION = /^ {0,3}\[([^\]\n]+)\]:\s*\S/;
const FOOTNOTE = /^ {0,3}\[\^[^\]\n]+\]:/m;

export function splitBlocks(markdown: string): string[] {
  // A footnote is numbered across the whole text; cut apart, its halves would not meet.
  if (FOOTNOTE.test(markdown)) return [markdown];
  const lines = markdown.split("\n");
  const blocks: string[] = [];
  const definitions: string[] = [];
  let start = 0;
  let fence: string | null = null;
  for (const [index, line] of lines.entries()) {
    const sameList = ITEM.test(line) && ITEM.test(lines[start] ?? "");
    if (fence === null && index > start && isBlank(lines[index - 1]) && atMargin(line) && !sameList) {
      blocks.push(lines.slice(start, index).join("\n"));
      start = index;
    }
    fence = fenceAfter(fence, line);
    if (fence === null && DEFINITION.test(line)) definitions.push(line);
  }
  blocks.push(lines.slice(start).join("\n"));
  return withDefinitions(
    blocks.filter((block) => !isBlank(block)),
    definitions,
  );
}

/** The fence that is open after `line`, as its marker, or null. A closing fence is as long as its opening. */
function fenceAfter(open: string | null, line: string): string | null {
  const match = FENCE.exec(line);
  if (!match) return open;
  const marker = match[1] ?? "";
  const info = match[2] ?? "";
  if (open === null) return marker.startsWith("`") && info.includes("`") ? null : marker;
  const closes = marker.startsWith(open) && isBlank(info);
  return closes ? null : open;
}

function isBlank(text: string | undefined): boolean {
  return text?.trim() === "";
}

function atMargin(line: string): boolean {
  return !isBlank(line) && !/^[ \t]/.test(line);
}

/** A reference link finds its address in whatever block it stands. */
function withDefinitions(blocks: string[], definitions: string[]): string[] {
  if (definitions.length === 0) return blocks;
  const tail = `\n\n${definitions.join("\n")}`;
  return blocks.map((block) => (block.includes("[") ? block + tail : block));
}
