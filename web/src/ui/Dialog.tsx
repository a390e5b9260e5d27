import { ActionIcon } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { type ReactNode, useEffect, useId, useRef } from "react";

import classes from "./Dialog.module.css";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** A modal question or sheet, by the browser's own dialog: it keeps the focus and closes on Escape. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // The button that closes it would come first.
    element?.querySelector<HTMLElement>("input, textarea, select")?.focus();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={classes.dialog}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault(); // the owner unmounts it
        onClose();
      }}
      onKeyDown={(event) => {
        // The page behind must not take it for its own.
        if (event.key === "Escape") event.stopPropagation();
      }}
    >
      <header className={classes.head}>
        <h2 id={heading}>{title}</h2>
        <ActionIcon variant="subtle" color="var(--vega-muted)" aria-label="Close" onClick={onClose}>
          <IconX size={18} />
        </ActionIcon>
      </header>
      <div className={classes.body}>{children}</div>
    </dialog>
  );
}

/** The buttons of a dialog, the one that acts last. */
export function DialogFoot({ children }: { children: ReactNode }) {
  return <footer className={classes.foot}>{children}</footer>;
}
