import type { Extension as FromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";
import type { Extension as Micromark } from "micromark-util-types";
import type { Processor } from "unified";

/** Tables, task lists, strikethrough, bare addresses, footnotes: `remark-gfm` without its writing half. */
export function readGfm(this: Processor): void {
  const data = this.data() as {
    micromarkExtensions?: Micromark[];
    fromMarkdownExtensions?: (FromMarkdown | FromMarkdown[])[];
  };
  (data.micromarkExtensions ??= []).push(gfm());
  (data.fromMarkdownExtensions ??= []).push(gfmFromMarkdown());
}
