import { ActionIcon } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconCheck, IconCopy, IconX } from "@tabler/icons-react";

/** Copies `text`. Says so, and says when the browser refuses (outside localhost it needs https). */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const clipboard = useClipboard({ timeout: 1500 });
  const spoken = clipboard.error ? "The browser refused to copy" : clipboard.copied ? "Copied" : label;
  const Icon = clipboard.error ? IconX : clipboard.copied ? IconCheck : IconCopy;
  return (
    <ActionIcon
      variant="subtle"
      color="var(--vega-muted)"
      size="md"
      title={spoken}
      aria-label={spoken}
      onClick={() => clipboard.copy(text)}
    >
      <Icon size={15} />
    </ActionIcon>
  );
}
