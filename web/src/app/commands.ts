/** What the palette offers, and how it is searched. */

export interface Command {
  /** Unique among all. */
  key: string;
  kind: string;
  label: string;
  run: () => void;
}

const SHOWN = 50;

/** Those of which every word of `text` is in the name or the kind; names that begin with it come first. */
export function found(commands: readonly Command[], text: string): readonly Command[] {
  const sought = text.trim().toLowerCase();
  const words = sought.split(/\s+/);
  const hits = commands.filter(({ label, kind }) => {
    const told = `${label} ${kind}`.toLowerCase();
    return words.every((word) => told.includes(word));
  });
  const begins = ({ label }: Command): boolean => label.toLowerCase().startsWith(sought);
  return [...hits.filter(begins), ...hits.filter((each) => !begins(each))].slice(0, SHOWN);
}
