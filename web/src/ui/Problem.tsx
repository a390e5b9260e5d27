import { Button } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";

import classes from "./Problem.module.css";

interface ProblemProps {
  message: string;
  hint?: string | null | undefined;
  action?: { label: string; run: () => void } | undefined;
}

/** One failure, in the server's words, with its remedy. */
export function Problem({ message, hint, action }: ProblemProps) {
  return (
    <div className={classes.problem} role="alert">
      <IconAlertTriangle className={classes.icon} size={18} stroke={1.8} aria-hidden="true" />
      <div className={classes.text}>
        <div>{message}</div>
        {hint ? <div className={classes.hint}>{hint}</div> : null}
      </div>
      {action ? (
        <Button size="compact-sm" variant="default" onClick={action.run}>
          {action.label}
        </Button>
      ) : null}
    </div>
  );
}
