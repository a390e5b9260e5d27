import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode, SyntheticEvent } from "react";

import { type Call, perform } from "../api/calls";
import { AsCommand } from "./AsCommand";
import { Dialog, DialogFoot } from "./Dialog";
import classes from "./FormDialog.module.css";
import { Problem } from "./Problem";

interface FormDialogProps {
  title: string;
  /** The word on the button. */
  action: string;
  /** What is sent, as the fields are now. */
  call: Call;
  /** The same for people to see, where the fields hold what must not be shown. */
  shown?: Call;
  /** The first part of the key of what it changes. */
  outdates: string;
  onClose: () => void;
  children: ReactNode;
}

/** A form that makes something: it closes when the server has taken it, else it says why not. */
export function FormDialog({ title, action, call, shown, outdates, onClose, children }: FormDialogProps) {
  const queries = useQueryClient();
  const send = useMutation({
    mutationFn: () => perform(call),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: [outdates] });
      onClose();
    },
  });
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    send.mutate();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form className={classes.form} onSubmit={submit}>
        {children}
        <AsCommand calls={[shown ?? call]} />
        {send.error ? <Problem message={send.error.message} /> : null}
        <DialogFoot>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={send.isPending}>
            {action}
          </Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}
