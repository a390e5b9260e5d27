import { ActionIcon } from "@mantine/core";
import { IconArrowUp, IconPaperclip, IconPlayerStopFilled, IconX } from "@tabler/icons-react";
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from "react";

import { Problem } from "../ui/Problem";
import classes from "./Composer.module.css";
import type { OwnFile } from "./files";

interface ComposerProps {
  agent: string;
  ready: boolean;
  streaming: boolean;
  stopping: boolean;
  onSend: (text: string, files: readonly OwnFile[]) => void;
  onStop: () => void;
}

/** Enter sends, Shift-Enter makes a line. While an answer streams the next message can be written, not sent. */
export function Composer({ agent, ready, streaming, stopping, onSend, onStop }: ComposerProps) {
  const [text, setText] = useState("");
  const { files, problem, add, remove } = useFiles();
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

  const sendable = ready && (text.trim() !== "" || files.length > 0);
  const send = (): void => {
    if (!sendable) return;
    onSend(text.trim(), files);
    setText("");
    remove(null);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // Enter that confirms an input method's candidate is part of the writing.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  const take = (event: { preventDefault: () => void }, given: DataTransfer): void => {
    if (given.files.length === 0) return;
    event.preventDefault();
    add(given.files);
  };

  return (
    <form
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => take(event, event.dataTransfer)}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {problem === null ? null : <Problem message={problem} />}
      <Chosen files={files} onRemove={remove} />
      <div className={classes.composer}>
        <Attach onChoose={add} />
        <textarea
          ref={field}
          className={classes.field}
          aria-label={`Message to ${agent}`}
          placeholder={`Message ${agent}`}
          rows={1}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          onPaste={(event) => take(event, event.clipboardData)}
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
      </div>
    </form>
  );
}

/** What was chosen to go with the next message, and why something else was not. */
function useFiles() {
  const [files, setFiles] = useState<readonly OwnFile[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  const read = async (list: readonly File[]): Promise<void> => {
    setProblem(null);
    try {
      const { readFile, together } = await import("./attach");
      setFiles(together(files, await Promise.all(list.map((file) => readFile(file)))));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return {
    files,
    problem,
    add: (list: FileList): void => void read([...list]),
    /** null: all of them. */
    remove: (file: OwnFile | null): void => {
      setProblem(null);
      setFiles(file === null ? [] : files.filter((each) => each !== file));
    },
  };
}

function Attach({ onChoose }: { onChoose: (files: FileList) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <ActionIcon
        variant="subtle"
        color="var(--vega-muted)"
        size={34}
        radius="xl"
        title="Attach files"
        aria-label="Attach files"
        onClick={() => input.current?.click()}
      >
        <IconPaperclip size={18} stroke={1.7} />
      </ActionIcon>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        onChange={(event) => {
          if (event.currentTarget.files) onChoose(event.currentTarget.files);
          event.currentTarget.value = ""; // the same file can be chosen again
        }}
      />
    </>
  );
}

function Chosen({ files, onRemove }: { files: readonly OwnFile[]; onRemove: (file: OwnFile) => void }) {
  if (files.length === 0) return null;
  return (
    <ul className={classes.chosen} aria-label="Attached files">
      {files.map((file, index) => (
        <li key={index}>
          {file.name}
          <ActionIcon
            variant="subtle"
            color="var(--vega-muted)"
            size="sm"
            aria-label={`Remove ${file.name}`}
            onClick={() => onRemove(file)}
          >
            <IconX size={14} />
          </ActionIcon>
        </li>
      ))}
    </ul>
  );
}
