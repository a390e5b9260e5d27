import { ActionIcon, Skeleton } from "@mantine/core";
import { IconArrowDown } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { Spoken } from "../ui/Spoken";
import { AnswerView } from "./AnswerView";
import { QuestionView } from "./QuestionView";
import { isOpen, type Transcript } from "./transcript";
import classes from "./TranscriptLog.module.css";
import { useStickToEnd } from "./useStickToEnd";

interface TranscriptLogProps {
  agent: string;
  transcript: Transcript;
  loading: boolean;
  onReload: () => void;
  onSendAgain: () => void;
  onAskAgain: (message: string | null) => void;
  onBranch: (turnId: string) => void;
  children?: ReactNode;
}

/** The conversation. It keeps to its end while text comes in, until the reader scrolls away. */
export function TranscriptLog({
  agent,
  transcript,
  loading,
  onReload,
  onSendAgain,
  onAskAgain,
  onBranch,
  children,
}: TranscriptLogProps) {
  const { scroller, atEnd, toEnd } = useStickToEnd(transcript, transcript.length);
  const last = transcript.at(-1);
  const ended = last?.kind === "answer" && !isOpen(last) && !last.unsent;
  return (
    <div className={classes.frame}>
      <div
        className={classes.scroller}
        ref={scroller}
        tabIndex={0}
        role="log"
        aria-label={`Conversation with ${agent}`}
      >
        <div className={classes.column}>
          {loading && transcript.length === 0 ? <Loading /> : null}
          {children}
          {transcript.map((entry, index) =>
            entry.kind === "question" ? (
              <QuestionView
                key={entry.key}
                text={entry.text}
                files={entry.files}
                onEdit={index === transcript.length - 2 && ended ? onAskAgain : null}
              />
            ) : (
              <AnswerView
                key={entry.key}
                agent={agent}
                answer={entry}
                onReload={onReload}
                onSendAgain={onSendAgain}
                onAskAgain={index === transcript.length - 1 ? onAskAgain : null}
                onBranch={onBranch}
              />
            ),
          )}
        </div>
      </div>
      {atEnd ? null : (
        <ActionIcon
          className={classes.toEnd ?? ""}
          variant="default"
          size="lg"
          radius="xl"
          aria-label="To the newest message"
          onClick={toEnd}
        >
          <IconArrowDown size={18} />
        </ActionIcon>
      )}
    </div>
  );
}

function Loading() {
  return (
    <div className={classes.loading}>
      <Spoken>Loading the conversation</Spoken>
      <Skeleton height={40} width="45%" radius="lg" ml="auto" />
      <Skeleton height={16} width="85%" />
      <Skeleton height={16} width="70%" />
    </div>
  );
}
