import { Alert, Button } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";

interface ProblemProps {
  message: string;
  hint?: string | null | undefined;
  action?: { label: string; run: () => void } | undefined;
}

/** One failure, in the server's words, with its remedy. */
export function Problem({ message, hint, action }: ProblemProps) {
  return (
    <Alert color="red" variant="light" role="alert" icon={<IconAlertTriangle size={18} />} p="sm">
      <div>{message}</div>
      {hint ? <div>{hint}</div> : null}
      {action ? (
        <Button mt="xs" size="compact-sm" variant="default" onClick={action.run}>
          {action.label}
        </Button>
      ) : null}
    </Alert>
  );
}
