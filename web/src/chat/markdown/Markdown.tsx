import { memo } from "react";
import ReactMarkdown, { type Components, defaultUrlTransform } from "react-markdown";
import remend from "remend";

import { splitBlocks } from "./blocks";
import { CodeBlock } from "./CodeBlock";
import { readGfm } from "./gfm";
import classes from "./Markdown.module.css";

interface MarkdownProps {
  text: string;
  /** The text is still growing: open emphasis, code and links are closed for display. */
  streaming: boolean;
}

/** Model text, which nobody vouches for: no raw HTML, no remote image, no link but http, https and mailto. */
export const Markdown = memo(function Markdown({ text, streaming }: MarkdownProps) {
  const blocks = splitBlocks(text);
  return (
    <div className={classes.markdown} data-part="text">
      {blocks.map((block, index) => (
        <Block key={index} text={streaming && index === blocks.length - 1 ? closed(block) : block} />
      ))}
    </div>
  );
});

const Block = memo(function Block({ text }: { text: string }) {
  return (
    <ReactMarkdown remarkPlugins={PLUGINS} components={COMPONENTS} urlTransform={safeUrl}>
      {text}
    </ReactMarkdown>
  );
});

function closed(block: string): string {
  return remend(block, { linkMode: "text-only", katex: false });
}

const SAFE = /^(https?:|mailto:)/i;

/** Empty for an address that a click must not follow; relative ones would lead into the dashboard itself. */
export function safeUrl(url: string): string {
  const cleaned = defaultUrlTransform(url);
  return SAFE.test(cleaned) ? cleaned : "";
}

const PLUGINS = [readGfm];

const COMPONENTS: Components = {
  a: ({ href, children }) =>
    href ? (
      <a href={href} target="_blank" rel="noopener noreferrer nofollow">
        {children}
      </a>
    ) : (
      <span>{children}</span>
    ),
  // An image is a request to a host that the text chose: it is shown as a link to follow or not.
  img: ({ src, alt }) =>
    typeof src === "string" && src !== "" ? (
      <a href={src} target="_blank" rel="noopener noreferrer nofollow">
        {alt === undefined || alt === "" ? src : alt}
      </a>
    ) : (
      <span>{alt}</span>
    ),
  pre: ({ children }) => <CodeBlock>{children}</CodeBlock>,
  table: ({ children }) => (
    <div className={classes.tableScroll} role="region" aria-label="Table" tabIndex={0}>
      <table>{children}</table>
    </div>
  ),
};
