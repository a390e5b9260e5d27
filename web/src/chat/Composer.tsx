import { ActionIcon } from "@mantine/core";
import { IconArrowUp, IconPlayerStopFilled } from "@tabler/icons-react";
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from "react";

import classes from "./Composer.module.css";

interface ComposerProps {
  agent: string;
  ready: boolean;
  streaming: boolean;
  stopping: boolean;
  onSend: (text: string) => void;
  onStop: () => void;
}

/** Enter sends, Shift-Enter makes a line. While an answer streams the next message can be written, not sent. */
export function Composer({ agent, ready, streaming, stopping, onSend, onStop }: ComposerProps) {
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    // On a phone the keyboard would cover the conversation before it is read.
    if (window.matchMedia("(hover: hover)").matches) field.current?.focus();
  }, []);

  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = "auto"; // it also shrinks
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);

  const sendable = ready && text.trim() !== "";
  const send = (): void => {
    if (!sendable) return;
    onSend(text.trim());
    setText("");
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // Enter that confirms an input method's candidate is part of the writing.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };

  return (
    <form
      className={classes.composer}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={field}
        className={classes.field}
        aria-label={`Message to ${agent}`}
        placeholder={`Message ${agent}`}
        rows={1}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      {streaming ? (
        <ActionIcon size={34} radius="xl" aria-label="Stop" loading={stopping} onClick={onStop}>
          <IconPlayerStopFilled size={15} />
        </ActionIcon>
      ) : (
        <ActionIcon size={34} radius="xl" type="submit" aria-label="Send" disabled={!sendable}>
          <IconArrowUp size={18} stroke={2.2} />
        </ActionIcon>
      )}
    </form>
  );
}
