import { useMantineColorScheme } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconSearch } from "@tabler/icons-react";
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { useLocation } from "wouter";

import { processesQuery, workflowsQuery } from "../api/lists";
import { agentsQuery } from "../api/queries";
import { chatAddress } from "../chat/useSelectedAgent";
import { isAlive, nameOf, processAddress } from "../processes/process";
import { Dialog } from "../ui/Dialog";
import { type Command, found } from "./commands";
import { PAGES } from "./pages";
import classes from "./Palette.module.css";

interface PaletteProps {
  onClose: () => void;
  onShortcuts: () => void;
}

/** Everything there is to go to, by name, and what works on every page. */
export default function Palette({ onClose, onShortcuts }: PaletteProps) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const commands = useCommands(onShortcuts);
  const shown = useMemo(() => found(commands, text), [commands, text]);
  const list = useId();
  const chosen = useRef<HTMLLIElement>(null);
  useEffect(() => {
    chosen.current?.scrollIntoView({ block: "nearest" }); // newer browsers return a promise here
  }, [at]);

  const run = (command: Command | undefined): void => {
    if (!command) return;
    onClose();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const last = shown.length - 1;
    const keys: Record<string, () => void> = {
      ArrowDown: () => setAt(at < last ? at + 1 : 0),
      ArrowUp: () => setAt(at > 0 ? at - 1 : last),
      Enter: () => run(shown[at]),
    };
    const act = event.nativeEvent.isComposing ? undefined : keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  return (
    <Dialog title="Go to" onClose={onClose}>
      <label className={classes.field}>
        <IconSearch size={17} aria-hidden="true" />
        <input
          role="combobox"
          aria-label="Go to"
          aria-expanded="true"
          aria-controls={list}
          aria-activedescendant={shown[at] ? `${list}${at}` : undefined}
          placeholder="Go to a page, agent, workflow or process"
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
      </label>
      <ul className={classes.list} id={list} role="listbox" aria-label="What is found">
        {shown.map((command, index) => (
          <li
            key={command.key}
            ref={index === at ? chosen : null}
            id={`${list}${index}`}
            role="option"
            aria-selected={index === at}
            onPointerMove={() => setAt(index)}
            onClick={() => run(command)}
          >
            <span className={classes.label}>{command.label}</span>
            <span className={classes.kind}>{command.kind}</span>
          </li>
        ))}
      </ul>
      {shown.length === 0 ? <p className={classes.none}>Nothing is called so.</p> : null}
    </Dialog>
  );
}

function useCommands(onShortcuts: () => void): Command[] {
  const [, go] = useLocation();
  const { setColorScheme } = useMantineColorScheme();
  const agents = useQuery(agentsQuery).data ?? [];
  const workflows = useQuery(workflowsQuery).data ?? [];
  const processes = (useQuery(processesQuery).data ?? []).filter((process) => isAlive(process.status));
  const to = (kind: string, path: string, label: string): Command => ({
    key: path,
    kind,
    label,
    run: () => go(path),
  });
  return [
    ...PAGES.map(({ path, title }) => to("page", path, title)),
    ...agents.map(({ name }) => to("chat", chatAddress(name), name)),
    ...workflows.map(({ name }) => to("workflow", `/workflows/${encodeURIComponent(name)}`, name)),
    ...processes.map((each) => to("process", processAddress(each.id), `${nameOf(each)} ${each.id}`)),
    ...(["light", "dark", "auto"] as const).map((scheme) => ({
      key: scheme,
      kind: "colours",
      label: `Colours: ${scheme === "auto" ? "as the system" : scheme}`,
      run: () => setColorScheme(scheme),
    })),
    { key: "?", kind: "help", label: "Keyboard shortcuts", run: onShortcuts },
  ];
}
