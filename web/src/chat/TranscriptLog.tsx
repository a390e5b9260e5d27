import { ActionIcon, Skeleton } from "@mantine/core";
import { IconArrowDown } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { Spoken } from "../ui/Spoken";
import { AnswerView } from "./AnswerView";
import type { Transcript } from "./transcript";
import classes from "./TranscriptLog.module.css";
import { useStickToEnd } from "./useStickToEnd";

interface TranscriptLogProps {
  agent: string;
  transcript: Transcript;
  loading: boolean;
  onReload: () => void;
  onSendAgain: () => void;
  children?: ReactNode;
}

/** The conversation. It keeps to its end while text comes in, until the reader scrolls away. */
export function TranscriptLog({
  agent,
  transcript,
  loading,
  onReload,
  onSendAgain,
  children,
}: TranscriptLogProps) {
  const { scroller, atEnd, toEnd } = useStickToEnd(transcript, transcript.length);
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
          {transcript.map((entry) =>
            entry.kind === "question" ? (
              <article className={classes.question} key={entry.key} aria-label="You">
                {entry.text}
              </article>
            ) : (
              <AnswerView
                key={entry.key}
                agent={agent}
                answer={entry}
                onReload={onReload}
                onSendAgain={onSendAgain}
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
