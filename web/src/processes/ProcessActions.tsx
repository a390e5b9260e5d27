import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { IconBolt, IconPlayerStop, IconRefresh, IconSkull } from "@tabler/icons-react";
import { useState } from "react";

import { calls, perform } from "../api/calls";
import { drillQuery, impactQuery, processesQuery } from "../api/lists";
import type { Impact, ProcessDetail } from "../api/types";
import { AsCommand } from "../ui/AsCommand";
import { Dialog, DialogFoot } from "../ui/Dialog";
import { Problem } from "../ui/Problem";
import { Remote } from "../ui/Remote";
import classes from "./ProcessActions.module.css";
import { isAlive, nameAndId, nameOf } from "./process";

type Action = "kill" | "restart";

/** Stop ends the turn, restart the life, kill the process; the last two first say whom else they touch. */
export function ProcessActions({ process }: { process: ProcessDetail }) {
  const [asking, setAsking] = useState<Action | null>(null);
  const stop = useMutation({ mutationFn: () => perform(calls.stopProcess(process.id)) });
  if (!isAlive(process.status)) return null;
  return (
    <div className={classes.actions}>
      <Button
        size="compact-md"
        variant="default"
        leftSection={<IconPlayerStop size={15} />}
        loading={stop.isPending}
        onClick={() => stop.mutate()}
      >
        Stop turn
      </Button>
      <Button
        size="compact-md"
        variant="default"
        leftSection={<IconRefresh size={15} />}
        onClick={() => setAsking("restart")}
      >
        Restart
      </Button>
      <Button
        size="compact-md"
        variant="default"
        leftSection={<IconSkull size={15} />}
        onClick={() => setAsking("kill")}
      >
        Kill
      </Button>
      {stop.error ? <Problem message={stop.error.message} /> : null}
      <KillDrill process={process} />
      {asking ? <Ask process={process} action={asking} onClose={() => setAsking(null)} /> : null}
    </div>
  );
}

/** In the demo: ends this life of the process, so that its supervisor is seen to start the next. */
function KillDrill({ process }: { process: ProcessDetail }) {
  const faults = useQuery(drillQuery).data ?? [];
  const queries = useQueryClient();
  const kill = useMutation({
    mutationFn: () => perform(calls.drill("kill", process.id)),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["processes"] }),
  });
  const fault = faults.find((each) => each.fault === "kill");
  if (!fault) return null;
  return (
    <>
      <Button
        size="compact-md"
        variant="default"
        title={fault.description}
        leftSection={<IconBolt size={15} />}
        loading={kill.isPending}
        onClick={() => kill.mutate()}
      >
        Fault drill
      </Button>
      {kill.error ? <Problem message={kill.error.message} /> : null}
    </>
  );
}

interface AskProps {
  process: ProcessDetail;
  action: Action;
  onClose: () => void;
}

function Ask({ process, action, onClose }: AskProps) {
  const queries = useQueryClient();
  const impact = useQuery(impactQuery(process.id, action));
  const call = action === "kill" ? calls.killProcess(process.id) : calls.restartProcess(process.id);
  const act = useMutation({
    mutationFn: () => perform(call),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["processes"] });
      onClose();
    },
  });
  const verb = action === "kill" ? "Kill" : "Restart";
  return (
    <Dialog title={`${verb} ${nameOf(process)}?`} onClose={onClose}>
      <Remote query={impact}>{(known) => <Blast impact={known} />}</Remote>
      <AsCommand calls={[call]} />
      {act.error ? <Problem message={act.error.message} /> : null}
      <DialogFoot>
        <Button variant="default" onClick={onClose}>
          Leave it
        </Button>
        <Button
          color={action === "kill" ? "red.9" : "star"}
          loading={act.isPending}
          onClick={() => act.mutate()}
        >
          {verb}
        </Button>
      </DialogFoot>
    </Dialog>
  );
}

const GROUPS = [
  { key: "dies", title: "End for good" },
  { key: "restarts", title: "Are restarted" },
  { key: "notified", title: "Are told" },
] as const;

/** Whom an action touches, and how. */
function Blast({ impact }: { impact: Impact }) {
  const { data } = useQuery(processesQuery);
  const told = (id: string): string =>
    nameAndId(
      data?.find((process) => process.id === id),
      id,
    );
  return (
    <div className={classes.blast}>
      {GROUPS.map(({ key, title }) =>
        impact[key].length === 0 ? null : (
          <div key={key} data-group={key}>
            <h3>
              {title} ({impact[key].length})
            </h3>
            <ul>
              {impact[key].map((id) => (
                <li key={id}>{told(id)}</li>
              ))}
            </ul>
          </div>
        ),
      )}
    </div>
  );
}
