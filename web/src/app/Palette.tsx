import "@mantine/core/styles/ModalBase.css";
import "@mantine/core/styles/Modal.css";
import "@mantine/core/styles/Overlay.css";
import "@mantine/core/styles/Paper.css";
import "@mantine/core/styles/ScrollArea.css";
import "@mantine/spotlight/styles.css";

import { createSpotlight, Spotlight, type SpotlightActionGroupData } from "@mantine/spotlight";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useLocation } from "wouter";

import { processesQuery, workflowsQuery } from "../api/lists";
import { agentsQuery } from "../api/queries";
import { chatAddress } from "../chat/useSelectedAgent";
import { isAlive, nameOf, processAddress } from "../processes/process";
import { PAGES } from "./pages";

const [store, spotlight] = createSpotlight();
const SHOWN = 12;

/** Everything there is to go to, by name. */
export default function Palette({ onClose }: { onClose: () => void }) {
  const [, go] = useLocation();
  const groups = useGroups(go);
  useEffect(() => {
    spotlight.open();
  }, []);
  return (
    <Spotlight
      store={store}
      actions={groups}
      shortcut={null}
      limit={SHOWN}
      scrollable
      highlightQuery
      lockScroll={false} // it would set styles without the page's nonce, and the page does not scroll anyway
      nothingFound="Nothing is called so"
      searchProps={{ placeholder: "Go to a page, agent, workflow or process", "aria-label": "Go to" }}
      onSpotlightClose={onClose}
    />
  );
}

function useGroups(go: (path: string) => void): SpotlightActionGroupData[] {
  const agents = useQuery(agentsQuery).data ?? [];
  const workflows = useQuery(workflowsQuery).data ?? [];
  const processes = (useQuery(processesQuery).data ?? []).filter((process) => isAlive(process.status));
  const action = (id: string, label: string, description: string, path: string) => ({
    id,
    label,
    description,
    onClick: () => go(path),
  });
  return [
    { group: "Pages", actions: PAGES.map(({ path, title }) => action(path, title, "", path)) },
    {
      group: "Agents",
      actions: agents.map((each) => action(`a:${each.name}`, each.name, "chat", chatAddress(each.name))),
    },
    {
      group: "Workflows",
      actions: workflows.map((each) =>
        action(
          `w:${each.name}`,
          each.name,
          each.description ?? "run",
          `/workflows/${encodeURIComponent(each.name)}`,
        ),
      ),
    },
    {
      group: "Running processes",
      actions: processes.map((each) =>
        action(`p:${each.id}`, `${nameOf(each)} ${each.id}`, each.task ?? "", processAddress(each.id)),
      ),
    },
  ];
}
