import { isValidElement, lazy, type ReactNode, Suspense } from "react";

import { CopyButton } from "../../ui/CopyButton";
import classes from "./Markdown.module.css";

const Highlighted = lazy(() => import("./Highlighted"));

/** A fenced block with its language and a copy button. `children` is the one `<code>` element of the block. */
export function CodeBlock({ children }: { children?: ReactNode }) {
  const { language, source } = read(children);
  return (
    <figure className={classes.code}>
      <figcaption className={classes.codeHead}>
        <span>{language || "text"}</span>
        <CopyButton text={source} label="Copy code" />
      </figcaption>
      <pre tabIndex={0} aria-label={`${language || "text"} code`}>
        <code>
          {language === "" ? (
            source
          ) : (
            <Suspense fallback={source}>
              <Highlighted language={language} source={source} />
            </Suspense>
          )}
        </code>
      </pre>
    </figure>
  );
}

function read(children: ReactNode): { language: string; source: string } {
  if (!isValidElement<{ className?: string; children?: ReactNode }>(children)) {
    return { language: "", source: plain(children) };
  }
  const language = /language-(\S+)/.exec(children.props.className ?? "")?.[1] ?? "";
  return { language, source: plain(children.props.children).replace(/\n$/, "") };
}

function plain(node: ReactNode): string {
  if (Array.isArray(node)) return node.map((child: ReactNode) => plain(child)).join("");
  return typeof node === "string" || typeof node === "number" ? String(node) : "";
}
