import { Button } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";

import { calls, perform } from "../api/calls";
import { drillQuery } from "../api/lists";
import type { Fault } from "../api/types";
import { AsCommand } from "../ui/AsCommand";
import { Dialog } from "../ui/Dialog";
import { Problem } from "../ui/Problem";
import { Remote } from "../ui/Remote";
import classes from "./DrillDialog.module.css";

const QUESTION = "What does vega do around a model?";

interface DrillDialogProps {
  onSay: (text: string) => void;
  onClose: () => void;
}

/** What can go wrong with the next answer, at the visitor's word. A question follows, so that there is one. */
export function DrillDialog({ onSay, onClose }: DrillDialogProps) {
  const faults = useQuery(drillQuery);
  const play = useMutation({
    mutationFn: (fault: string) => perform(calls.drill(fault, null)),
    onSuccess: () => {
      onClose();
      onSay(QUESTION);
    },
  });
  return (
    <Dialog title="Fault drill" onClose={onClose}>
      <Remote query={faults}>
        {(all) => (
          <ul className={classes.faults}>
            {all
              .filter(({ fault }) => fault !== "kill")
              .map((fault) => (
                <Item
                  key={fault.fault}
                  fault={fault}
                  disabled={play.isPending}
                  onPlay={() => play.mutate(fault.fault)}
                />
              ))}
          </ul>
        )}
      </Remote>
      {play.error ? <Problem message={play.error.message} /> : null}
      <p className={classes.more}>
        A process can be killed on its own page, to see its supervisor start it again.
      </p>
    </Dialog>
  );
}

const NAMES: Record<string, string> = {
  crash: "Crash the process",
  refuse: "Refuse the calls",
  cut: "Break the connection",
  slow: "Slow the model down",
};

function Item({ fault, disabled, onPlay }: { fault: Fault; disabled: boolean; onPlay: () => void }) {
  return (
    <li>
      <Button variant="default" disabled={disabled} onClick={onPlay}>
        {NAMES[fault.fault] ?? fault.fault}
      </Button>
      <p>{fault.description}.</p>
      <AsCommand calls={[calls.drill(fault.fault, null)]} />
    </li>
  );
}
