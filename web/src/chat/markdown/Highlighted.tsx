import hljs from "highlight.js/lib/common";
import { Fragment, type ReactNode } from "react";

import "./highlight.css";

type Leaf = string;
interface Branch {
  scope?: string;
  children: (Leaf | Branch)[];
}

/** Beyond this, colours cost more than they tell. */
const MOST = 50_000;

/** Code in colours. The tokens become elements of ours: no markup that a text could have a hand in is ever set. */
export default function Highlighted({ language, source }: { language: string; source: string }): ReactNode {
  if (!hljs.getLanguage(language) || source.length > MOST) return source;
  const result = hljs.highlight(source, { language, ignoreIllegals: true });
  const { rootNode } = result._emitter as unknown as { rootNode: Branch };
  return drawn(rootNode);
}

function drawn(node: Leaf | Branch): ReactNode {
  if (typeof node === "string") return node;
  const children = node.children.map((child, index) => <Fragment key={index}>{drawn(child)}</Fragment>);
  const scope = node.scope?.split(/[.:]/)[0];
  return scope === undefined ? children : <span className={`hljs-${scope}`}>{children}</span>;
}
