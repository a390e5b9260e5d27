import { ActionIcon } from "@mantine/core";
import { useWindowEvent } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";

const Palette = lazy(() => import("./Palette"));
const Shortcuts = lazy(() => import("./Shortcuts"));

/** The keys that work on every page, what they open, and a button for those who have no such keys. */
export function Keys({ onChoose }: { onChoose: () => void }) {
  const [open, setOpen] = useState<"palette" | "shortcuts" | null>(null);
  useWindowEvent("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault(); // some browsers search with it
      setOpen("palette");
    } else if (event.key === "?" && !isWriting(event.target)) {
      setOpen("shortcuts");
    }
  });
  const close = (): void => {
    setOpen(null);
    onChoose();
  };
  return (
    <>
      <ActionIcon
        variant="subtle"
        color="var(--vega-muted)"
        size="md"
        title="Go to (Ctrl K)"
        aria-label="Go to"
        onClick={() => setOpen("palette")}
      >
        <IconSearch size={17} stroke={1.7} />
      </ActionIcon>
      <Suspense fallback={null}>
        {open === "palette" ? <Palette onClose={close} onShortcuts={() => setOpen("shortcuts")} /> : null}
        {open === "shortcuts" ? <Shortcuts onClose={close} /> : null}
      </Suspense>
    </>
  );
}

function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}
