import { CopyButton } from "./CopyButton";
import classes from "./Code.module.css";

/** A value as indented JSON, or a text as it is, to read and to copy. */
export function Code({ label, value }: { label: string; value: unknown }) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return (
    <div className={classes.code}>
      <div className={classes.copy}>
        <CopyButton text={text} label={`Copy ${label.toLowerCase()}`} />
      </div>
      <pre tabIndex={0} role="region" aria-label={label}>
        {text}
      </pre>
    </div>
  );
}
