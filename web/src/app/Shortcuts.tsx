import { Dialog } from "../ui/Dialog";
import classes from "./Shortcuts.module.css";

const SHORTCUTS = [
  ["Ctrl K", "Go to a page, an agent, a workflow or a process"],
  ["?", "Show this sheet"],
  ["Enter", "Send the message; choose, unfold, press"],
  ["Shift Enter", "Begin a new line"],
  ["Esc", "Stop the answer; close what is open"],
  ["Tab", "To the next button, link or field; Shift Tab back"],
  ["↑ ↓ Home End", "Move in the tree and in the palette"],
  ["← →", "Fold and unfold a branch of the tree"],
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
