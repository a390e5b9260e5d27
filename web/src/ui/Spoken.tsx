import type { ReactNode } from "react";

import classes from "./Spoken.module.css";

/** Text for a screen reader, where the eye has a shape or a colour. */
export function Spoken({ children }: { children: ReactNode }) {
  return <span className={classes.spoken}>{children}</span>;
}
