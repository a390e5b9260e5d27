import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { drillQuery } from "../api/lists";
import { DrillDialog } from "./DrillDialog";

/** The way to the fault drill. Only `vega serve --demo` has one; elsewhere there is nothing to play. */
export default function DrillChip({ onSay }: { onSay: (text: string) => void }) {
  const faults = useQuery(drillQuery).data ?? [];
  const [open, setOpen] = useState(false);
  if (faults.length === 0) return null;
  return (
    <>
      <Button variant="default" radius="xl" size="sm" onClick={() => setOpen(true)}>
        Fault drill
      </Button>
      {open ? <DrillDialog onSay={onSay} onClose={() => setOpen(false)} /> : null}
    </>
  );
}
