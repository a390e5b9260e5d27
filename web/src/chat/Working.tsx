import { Loader } from "@mantine/core";

import classes from "./Working.module.css";

/** Something goes on, but there is nothing to show of it yet. */
export function Working({ words }: { words: string }) {
  return (
    <div className={classes.working}>
      <Loader size="xs" type="dots" color="var(--vega-accent-text)" aria-hidden="true" />
      <span>{words}</span>
    </div>
  );
}
