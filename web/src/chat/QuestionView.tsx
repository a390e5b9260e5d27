import { ActionIcon, Button } from "@mantine/core";
import { IconPencil } from "@tabler/icons-react";
import { useState } from "react";

import { FileList } from "./FileList";
import type { ShownFile } from "./files";
import classes from "./QuestionView.module.css";

interface QuestionViewProps {
  text: string;
  files: readonly ShownFile[];
  /** Asks something else in its place; null where that cannot be done. */
  onEdit: ((message: string) => void) | null;
}

/** What the user said. The last question can be put in other words: its answer is then forgotten. */
export function QuestionView({ text, files, onEdit }: QuestionViewProps) {
  const [draft, setDraft] = useState<string | null>(null);
  if (draft === null || onEdit === null) {
    return (
      <div className={classes.line}>
        {onEdit === null ? null : (
          <ActionIcon
            className={classes.edit ?? ""}
            variant="subtle"
            color="var(--vega-muted)"
            title="Edit the question"
            aria-label="Edit the question"
            onClick={() => setDraft(text)}
          >
            <IconPencil size={15} />
          </ActionIcon>
        )}
        <article className={classes.question} aria-label="You">
          <FileList label="Attached files" files={files} />
          {text === "" ? null : <div>{text}</div>}
        </article>
      </div>
    );
  }
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        // The draft stays where the server refuses it; else another question takes the place of this one.
        if (draft.trim() !== "") onEdit(draft.trim());
      }}
    >
      <textarea
        aria-label="Question"
        autoFocus
        rows={Math.min(8, draft.split("\n").length + 1)}
        value={draft}
        onChange={(event) => setDraft(event.currentTarget.value)}
      />
      <div>
        <Button size="compact-sm" type="submit">
          Ask this
        </Button>
        <Button size="compact-sm" variant="default" onClick={() => setDraft(null)}>
          Cancel
        </Button>
      </div>
    </form>
  );
}
