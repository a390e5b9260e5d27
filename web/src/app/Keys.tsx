import { useWindowEvent } from "@mantine/hooks";
import { lazy, Suspense, useState } from "react";

const Palette = lazy(() => import("./Palette"));
const Shortcuts = lazy(() => import("./Shortcuts"));

/** The keys that work on every page, and what they open. */
export function Keys() {
  const [open, setOpen] = useState<"palette" | "shortcuts" | null>(null);
  useWindowEvent("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault(); // some browsers search with it
      setOpen("palette");
    } else if (event.key === "?" && !isWriting(event.target)) {
      setOpen("shortcuts");
    }
  });
  const close = (): void => setOpen(null);
  return (
    <Suspense fallback={null}>
      {open === "palette" ? <Palette onClose={close} /> : null}
      {open === "shortcuts" ? <Shortcuts onClose={close} /> : null}
    </Suspense>
  );
}

function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}
