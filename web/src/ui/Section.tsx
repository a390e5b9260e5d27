import { type ReactNode, useId } from "react";

import classes from "./Section.module.css";

interface SectionProps {
  title: string;
  /** Beside the title. */
  aside?: ReactNode;
  children: ReactNode;
}

/** A titled part of a page. */
export function Section({ title, aside, children }: SectionProps) {
  const heading = useId();
  return (
    <section className={classes.section} aria-labelledby={heading}>
      <header className={classes.head}>
        <h2 id={heading}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

/** A framed surface. `padded` for text; tables and lists bring their own. */
export function Card({ padded = false, children }: { padded?: boolean; children: ReactNode }) {
  return (
    <div className={classes.card} data-padded={padded}>
      {children}
    </div>
  );
}

export function Nothing({ children }: { children: ReactNode }) {
  return (
    <Card>
      <p className={classes.nothing}>{children}</p>
    </Card>
  );
}
