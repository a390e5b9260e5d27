import { ActionIcon } from "@mantine/core";
import { IconGitBranch, IconRotateClockwise } from "@tabler/icons-react";
import { lazy, memo, Suspense } from "react";

import { CopyButton } from "../ui/CopyButton";
import { count, duration, usd } from "../ui/format";
import { Problem } from "../ui/Problem";
import classes from "./AnswerView.module.css";
import { Markdown } from "./markdown/Markdown";
import { RestartDivider } from "./RestartDivider";
import type { TurnMetrics } from "./stream";
import { ToolPanel } from "./ToolPanel";
import { type Answer, answerText, isOpen, type Part } from "./transcript";
import { Working } from "./Working";

const ApprovalPanel = lazy(() => import("./ApprovalPanel"));

interface AnswerViewProps {
  agent: string;
  answer: Answer;
  onReload: () => void;
  onSendAgain: () => void;
  /** null for all answers but the last. */
  onAskAgain: ((message: null) => void) | null;
  onBranch: (turnId: string) => void;
}

/** One answer, however often its process was restarted: text, tool panels and restart dividers in order. */
export const AnswerView = memo(function AnswerView({
  agent,
  answer,
  onReload,
  onSendAgain,
  onAskAgain,
  onBranch,
}: AnswerViewProps) {
  const open = isOpen(answer);
  const busyWith = open ? silence(answer) : null;
  return (
    <article className={classes.answer} aria-label={agent} aria-busy={open} data-status={answer.status}>
      <div className={classes.author}>{agent}</div>
      {answer.parts.map((part, index) => (
        <PartView
          key={partKey(part, index)}
          part={part}
          streaming={open && index === answer.parts.length - 1}
        />
      ))}
      {busyWith === null ? null : <Working words={busyWith} />}
      <Failure answer={answer} onReload={onReload} onSendAgain={onSendAgain} />
      {open ? null : (
        <Foot answer={answer} onAskAgain={answer.unsent ? null : onAskAgain} onBranch={onBranch} />
      )}
    </article>
  );
});

function partKey(part: Part, index: number): string {
  if (part.kind === "approval") return `approval-${part.id}`;
  return part.kind === "tool" ? `tool-${part.id}` : `${part.kind}-${index}`;
}

function PartView({ part, streaming }: { part: Part; streaming: boolean }) {
  switch (part.kind) {
    case "text":
      return <Markdown text={part.text} streaming={streaming} />;
    case "tool":
      return <ToolPanel tool={part} />;
    case "restart":
      return <RestartDivider restart={part} />;
    case "approval":
      return (
        <Suspense fallback={null}>
          <ApprovalPanel approval={part} />
        </Suspense>
      );
    case "thinking":
      return <Thinking text={part.text} />;
  }
}

/** Folded away: it is no part of the answer. */
function Thinking({ text }: { text: string }) {
  return (
    <details className={classes.thinking}>
      <summary>Thinking</summary>
      <p>{text}</p>
    </details>
  );
}

/** What to say while no text comes: before the first word, behind a tool, in a pause between attempts. */
function silence(answer: Answer): string | null {
  const last = answer.parts.at(-1);
  const visiblyBusy = last?.kind === "text" || (last?.kind === "tool" && last.state === "running");
  return answer.notice ?? (visiblyBusy ? null : "Working");
}

function Failure({
  answer,
  onReload,
  onSendAgain,
}: Omit<AnswerViewProps, "agent" | "onAskAgain" | "onBranch">) {
  if (answer.error === null) return null;
  return <Problem message={answer.error} hint={answer.hint} action={remedy(answer, onReload, onSendAgain)} />;
}

function remedy(answer: Answer, onReload: () => void, onSendAgain: () => void) {
  if (answer.status === "lost") return { label: "Load again", run: onReload };
  return answer.unsent ? { label: "Send again", run: onSendAgain } : undefined;
}

function Foot({ answer, onAskAgain, onBranch }: Pick<AnswerViewProps, "answer" | "onAskAgain" | "onBranch">) {
  const text = answerText(answer);
  const facts = [answer.status === "cancelled" ? "Stopped" : "", ...metricFacts(answer.metrics)];
  const shown = facts.filter((fact) => fact !== "").join(" · ");
  if (text === "" && shown === "" && onAskAgain === null) return null;
  return (
    <div className={classes.foot}>
      {text === "" ? null : <CopyButton text={text} label="Copy answer" />}
      {onAskAgain === null ? null : (
        <ActionIcon
          variant="subtle"
          color="var(--vega-muted)"
          title="Ask again"
          aria-label="Ask again"
          onClick={() => onAskAgain(null)}
        >
          <IconRotateClockwise size={15} />
        </ActionIcon>
      )}
      {answer.turnId === "" ? null : (
        <ActionIcon
          variant="subtle"
          color="var(--vega-muted)"
          title="Branch from here"
          aria-label="Branch from here"
          onClick={() => onBranch(answer.turnId)}
        >
          <IconGitBranch size={15} />
        </ActionIcon>
      )}
      {shown === "" ? null : <span>{shown}</span>}
    </div>
  );
}

function metricFacts(metrics: TurnMetrics | null): string[] {
  if (!metrics) return [];
  const tokens = metrics.inputTokens + metrics.outputTokens;
  return [
    metrics.durationMs > 0 ? duration(metrics.durationMs) : "",
    tokens > 0 ? `${count(tokens)} tokens` : "",
    metrics.costUsd === null ? "" : usd(metrics.costUsd),
  ];
}
