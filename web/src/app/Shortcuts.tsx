import { Dialog } from "../ui/Dialog";
import classes from "./Shortcuts.module.css";

const SHORTCUTS = [
  ["Ctrl K", "Go to a page, an agent, a workflow or a process"],
  ["Enter", "Send the message"],
  ["Shift Enter", "Begin a new line"],
  ["Esc", "Stop the answer; close what is open"],
  ["?", "Show this sheet"],
] as const;

export default function Shortcuts({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl className={classes.shortcuts}>
        {SHORTCUTS.map(([keys, effect]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{effect}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
