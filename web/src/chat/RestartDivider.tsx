import { IconRefresh } from "@tabler/icons-react";

import classes from "./RestartDivider.module.css";
import type { RestartPart } from "./transcript";

/** Marks the place in an answer where its process crashed and its supervisor brought it back. */
export function RestartDivider({ restart }: { restart: RestartPart }) {
  const used =
    restart.maxRestarts === null ? `${restart.restarts}` : `${restart.restarts}/${restart.maxRestarts}`;
  const detail = [`incarnation #${restart.incarnation}`, restart.reason]
    .filter((part) => part !== "")
    .join(", ");
  return (
    <div className={classes.divider} data-part="restart" title={detail}>
      <span className={classes.label}>
        <IconRefresh size={14} aria-hidden="true" />
        restarted ({used}), context restored
      </span>
    </div>
  );
}
