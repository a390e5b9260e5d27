import { TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import type { ReactNode } from "react";

import classes from "./FilterBar.module.css";

interface FilterBarProps {
  label: string;
  text: string;
  onText: (text: string) => void;
  children?: ReactNode;
}

/** A search field and what else narrows a list. */
export function FilterBar({ label, text, onText, children }: FilterBarProps) {
  return (
    <div className={classes.bar} role="search">
      <TextInput
        className={classes.search ?? ""}
        type="search"
        aria-label={label}
        placeholder={label}
        leftSection={<IconSearch size={16} aria-hidden="true" />}
        value={text}
        onChange={(event) => onText(event.currentTarget.value)}
      />
      {children}
    </div>
  );
}
