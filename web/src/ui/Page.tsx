import { type ReactNode, useEffect, useId } from "react";

import classes from "./Page.module.css";

/** A page with a title that scrolls as a whole; it can be scrolled by keyboard, having a stop of its own. */
export function Page({ title, children }: { title: string; children: ReactNode }) {
  const heading = useId();
  useEffect(() => {
    document.title = `${title} · Vega`;
  }, [title]);
  return (
    <div className={classes.scroller} role="region" aria-labelledby={heading} tabIndex={0}>
      <div className={classes.page}>
        <h1 className={classes.title} id={heading}>
          {title}
        </h1>
        {children}
      </div>
    </div>
  );
}
