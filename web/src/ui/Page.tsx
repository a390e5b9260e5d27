import { type ReactNode, useEffect, useId } from "react";

import classes from "./Page.module.css";

interface PageProps {
  title: string;
  /** Beside the title: what acts on the whole page. */
  aside?: ReactNode;
  /** Fills the window instead of scrolling as a whole: for pages that are one long table. */
  filled?: boolean;
  children: ReactNode;
}

/** A page with a title. One that scrolls as a whole can be scrolled by keyboard, having a stop of its own. */
export function Page({ title, aside, filled = false, children }: PageProps) {
  const heading = useId();
  useEffect(() => {
    document.title = `${title} · Vega`;
  }, [title]);
  return (
    <div
      className={classes.scroller}
      role="region"
      aria-labelledby={heading}
      tabIndex={filled ? undefined : 0}
      data-filled={filled}
    >
      <div className={classes.page}>
        <header className={classes.head}>
          <h1 className={classes.title} id={heading}>
            {title}
          </h1>
          {aside}
        </header>
        {children}
      </div>
    </div>
  );
}
