import { useQuery } from "@tanstack/react-query";

import { approvalsQuery } from "../api/lists";
import { Spoken } from "../ui/Spoken";
import classes from "./Waiting.module.css";

/** How many calls wait for a human's word. */
export default function Waiting() {
  const waiting = (useQuery(approvalsQuery).data ?? []).filter((each) => each.status === "pending").length;
  if (waiting === 0) return null;
  return (
    <span className={classes.waiting}>
      {waiting}
      <Spoken> waiting</Spoken>
    </span>
  );
}
