import { Loader, UnstyledButton } from "@mantine/core";
import { IconBan, IconCheck, IconChevronRight, IconClock, IconTool, IconX } from "@tabler/icons-react";
import { memo, useId, useState } from "react";

import { CopyButton } from "../ui/CopyButton";
import { duration } from "../ui/format";
import { FileList } from "./FileList";
import classes from "./ToolPanel.module.css";
import type { ToolPart } from "./transcript";

/** One tool call: a line that says what runs and how it went, and below it, unfolded, what went in and came out. */
export const ToolPanel = memo(function ToolPanel({ tool }: { tool: ToolPart }) {
  const [open, setOpen] = useState(false);
  const body = useId();
  return (
    <section
      className={classes.panel}
      data-part="tool"
      data-state={tool.state}
      aria-label={`Tool ${tool.name}`}
    >
      <UnstyledButton
        className={classes.head ?? ""}
        aria-expanded={open}
        aria-controls={body}
        onClick={() => setOpen(!open)}
      >
        <IconChevronRight className={classes.chevron} size={16} aria-hidden="true" />
        <IconTool className={classes.tool} size={16} stroke={1.7} aria-hidden="true" />
        <span className={classes.name}>{tool.name}</span>
        {tool.nestedAgent === null ? null : <span className={classes.nested}>{tool.nestedAgent}</span>}
        <span className={classes.summary}>
          {tool.state === "running" && typeof tool.progress?.share === "number" ? (
            <progress value={tool.progress.share} aria-label={`Progress of ${tool.name}`} />
          ) : null}
          {said(tool)}
        </span>
        {tool.attempts > 1 ? <span className={classes.attempts}>attempt {tool.attempts}</span> : null}
        <State tool={tool} />
      </UnstyledButton>
      <div id={body} className={classes.body} hidden={!open}>
        {open ? <Details tool={tool} /> : null}
      </div>
    </section>
  );
});

function State({ tool }: { tool: ToolPart }) {
  const time = tool.durationMs === null ? "" : duration(tool.durationMs);
  return (
    <span className={classes.state} data-state={tool.state}>
      <StateIcon state={tool.state} />
      {tool.state.replace("-", " ")}
      {time === "" ? null : <span className={classes.time}>{time}</span>}
    </span>
  );
}

function StateIcon({ state }: { state: ToolPart["state"] }) {
  switch (state) {
    case "running":
      return <Loader size={13} color="var(--vega-accent-text)" aria-hidden="true" />;
    case "done":
      return <IconCheck size={15} aria-hidden="true" />;
    case "awaiting-approval":
      return <IconClock size={15} aria-hidden="true" />;
    case "denied":
    case "failed":
      return <IconX size={15} aria-hidden="true" />;
    case "cancelled":
      return <IconBan size={15} aria-hidden="true" />;
  }
}

function Details({ tool }: { tool: ToolPart }) {
  return (
    <>
      <Detail title="Arguments" text={JSON.stringify(tool.arguments ?? {}, null, 2)} />
      {tool.result === null ? null : <Detail title="Result" text={pretty(tool.result)} />}
      {tool.images.length === 0 ? null : (
        <div className={classes.detail}>
          <FileList label="Images of the result" files={tool.images} />
        </div>
      )}
    </>
  );
}

function Detail({ title, text }: { title: string; text: string }) {
  return (
    <div className={classes.detail}>
      <div className={classes.detailHead}>
        <span>{title}</span>
        <CopyButton text={text} label={`Copy ${title.toLowerCase()}`} />
      </div>
      <pre tabIndex={0} aria-label={title}>
        {text}
      </pre>
    </div>
  );
}

/** How far it is, if it says so, else what it was called with. */
function said(tool: ToolPart): string {
  if (tool.state !== "running" || tool.progress === null) return summary(tool.arguments);
  const { share, message } = tool.progress;
  return [share === null ? "" : `${Math.round(share * 100)} %`, message]
    .filter((text) => text !== "")
    .join(", ");
}

/** The arguments in one line, as far as it goes: most calls have one that says it all. */
function summary(value: unknown): string {
  if (typeof value !== "object" || value === null) return "";
  const shown = Object.values(value).map((item) => (typeof item === "string" ? item : JSON.stringify(item)));
  return shown.join(", ").slice(0, 200);
}

/** JSON results are indented; any other text stays exactly as it came. */
function pretty(result: string): string {
  if (!/^\s*[[{]/.test(result)) return result;
  try {
    return JSON.stringify(JSON.parse(result), null, 2);
  } catch {
    return result; // it only looks like JSON
  }
}
