import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { type Call, curlCommand, vegaCommand } from "../api/calls";
import { meQuery } from "../api/lists";
import classes from "./AsCommand.module.css";
import { Code } from "./Code";

/** How to do the same in a terminal, folded away. */
export function AsCommand({ calls }: { calls: readonly Call[] }) {
  const [open, setOpen] = useState(false);
  return (
    <details className={classes.commands} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>As a command</summary>
      {open ? calls.map((call, index) => <Commands key={index} call={call} />) : null}
    </details>
  );
}

function Commands({ call }: { call: Call }) {
  const { data: me } = useQuery(meQuery);
  if (!me) return null;
  const place = { origin: window.location.origin, token: me.mode === "token" };
  const vega = vegaCommand(call, place);
  return (
    <>
      {vega === null ? null : <Code label="vega command" value={vega} />}
      <Code label="curl command" value={curlCommand(call, place)} />
    </>
  );
}
