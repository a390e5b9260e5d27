import { ActionIcon, useMantineColorScheme } from "@mantine/core";
import { IconDeviceDesktop, IconMoon, IconSun } from "@tabler/icons-react";

const NEXT = { auto: "light", light: "dark", dark: "auto" } as const;
const NAMES = { auto: "as the system", light: "light", dark: "dark" } as const;
const ICONS = { auto: IconDeviceDesktop, light: IconSun, dark: IconMoon } as const;

/** Goes round: as the system, light, dark. */
export function SchemeToggle() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const next = NEXT[colorScheme];
  const Icon = ICONS[colorScheme];
  const label = `Colours: ${NAMES[colorScheme]}. Change to ${NAMES[next]}`;
  return (
    <ActionIcon
      variant="subtle"
      color="var(--vega-muted)"
      size="md"
      title={label}
      aria-label={label}
      onClick={() => setColorScheme(next)}
    >
      <Icon size={17} stroke={1.7} />
    </ActionIcon>
  );
}
