import { ActionIcon, Button, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { IconPencil, IconTrash } from "@tabler/icons-react";
import { useDeferredValue, useState } from "react";
import { Link, useLocation } from "wouter";

import { type Call, calls, perform } from "../api/calls";
import { manage } from "../api/manage";
import { sessionsQuery } from "../api/lists";
import type { Session } from "../api/types";
import { AsCommand } from "../ui/AsCommand";
import { Dialog, DialogFoot } from "../ui/Dialog";
import { FilterBar } from "../ui/FilterBar";
import { plural } from "../ui/format";
import { Problem } from "../ui/Problem";
import { Remote } from "../ui/Remote";
import { Since } from "../ui/Since";
import classes from "./SessionsDialog.module.css";
import { chatAddress } from "./useSelectedAgent";

interface SessionsDialogProps {
  agent: string;
  current: string | null;
  onClose: () => void;
}

/** The conversations with one agent: find, open, begin, rename, save, delete. */
export default function SessionsDialog({ agent, current, onClose }: SessionsDialogProps) {
  const [text, setText] = useState("");
  const sessions = useQuery(sessionsQuery(agent, useDeferredValue(text)));
  const queries = useQueryClient();
  const [, go] = useLocation();
  const begin = useMutation({
    mutationFn: () => manage.newSession(agent),
    onSuccess: ({ id }) => {
      void queries.invalidateQueries({ queryKey: ["sessions"] });
      go(chatAddress(agent, id));
      onClose();
    },
  });
  return (
    <Dialog title={`Conversations with ${agent}`} onClose={onClose}>
      <FilterBar label="Search titles and messages" text={text} onText={setText} />
      <Remote query={sessions}>
        {(all) => (
          <ul className={classes.list}>
            {all.map((session) => (
              <Item key={session.id} session={session} current={session.id === current} onOpen={onClose} />
            ))}
            {all.length === 0 ? <li className={classes.none}>There is none.</li> : null}
          </ul>
        )}
      </Remote>
      {begin.error ? <Problem message={begin.error.message} /> : null}
      <AsCommand calls={[calls.newSession(agent), calls.say(agent, "Hello"), ...callsOf(agent, current)]} />
      <DialogFoot>
        <Button loading={begin.isPending} onClick={() => begin.mutate()}>
          New conversation
        </Button>
      </DialogFoot>
    </Dialog>
  );
}

/** What can be done with the conversation that is shown. */
function callsOf(agent: string, session: string | null): Call[] {
  if (session === null) return [];
  return [
    calls.stopTurn(agent, session),
    calls.regenerate(session),
    calls.edit(session, "Another question"),
    calls.branch(session),
    calls.renameSession(session, "A title"),
    calls.clear(agent, session),
    calls.deleteSession(session),
  ];
}

interface ItemProps {
  session: Session;
  current: boolean;
  onOpen: () => void;
}

function Item({ session, current, onOpen }: ItemProps) {
  const queries = useQueryClient();
  const [mode, setMode] = useState<"shown" | "renaming" | "deleting">("shown");
  const change = useMutation({
    mutationFn: (run: () => Promise<unknown>) => run(),
    onSuccess: () => {
      setMode("shown");
      void queries.invalidateQueries({ queryKey: ["sessions"] });
    },
  });
  const title = session.title || "Untitled";
  const exported = `/api/sessions/${encodeURIComponent(session.id)}/export`;
  return (
    <li className={classes.item} data-current={current}>
      {mode === "renaming" ? (
        <Rename
          title={session.title}
          onDone={(name) => change.mutate(() => perform(calls.renameSession(session.id, name)))}
          onCancel={() => setMode("shown")}
        />
      ) : (
        <div className={classes.line}>
          <Link
            href={chatAddress(session.agent, session.id)}
            className={classes.title ?? ""}
            onClick={onOpen}
          >
            {title}
          </Link>
          <ActionIcon
            variant="subtle"
            color="var(--vega-muted)"
            aria-label={`Rename ${title}`}
            onClick={() => setMode("renaming")}
          >
            <IconPencil size={15} />
          </ActionIcon>
          <ActionIcon
            variant="subtle"
            color="var(--vega-muted)"
            aria-label={`Delete ${title}`}
            onClick={() => setMode("deleting")}
          >
            <IconTrash size={15} />
          </ActionIcon>
        </div>
      )}
      <div className={classes.facts}>
        <Since timestamp={session.updated_at} /> · {plural(session.message_count, "message")} · save as{" "}
        <a href={`${exported}?format=md`} download>
          Markdown
        </a>{" "}
        or{" "}
        <a href={`${exported}?format=json`} download>
          JSON
        </a>
      </div>
      {mode === "deleting" ? (
        <div className={classes.line}>
          <span className={classes.title}>Delete it for good?</span>
          <Button
            size="compact-sm"
            color="red.9"
            autoFocus
            onClick={() => change.mutate(() => perform(calls.deleteSession(session.id)))}
          >
            Delete
          </Button>
          <Button size="compact-sm" variant="default" onClick={() => setMode("shown")}>
            Keep
          </Button>
        </div>
      ) : null}
      {change.error ? <Problem message={change.error.message} /> : null}
    </li>
  );
}

interface RenameProps {
  title: string;
  onDone: (title: string) => void;
  onCancel: () => void;
}

function Rename({ title, onDone, onCancel }: RenameProps) {
  const [text, setText] = useState(title);
  return (
    <form
      className={classes.line}
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() !== "") onDone(text.trim());
      }}
    >
      <TextInput
        className={classes.title ?? ""}
        aria-label="Title"
        value={text}
        autoFocus
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Button size="compact-sm" type="submit">
        Rename
      </Button>
      <Button size="compact-sm" variant="default" onClick={onCancel}>
        Cancel
      </Button>
    </form>
  );
}
