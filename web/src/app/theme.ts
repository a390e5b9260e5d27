import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

const star: MantineColorsTuple = [
  "#eef2ff",
  "#dde4fb",
  "#bac7f2",
  "#94a9ea",
  "#7690e3",
  "#6280de",
  "#4c6ad2",
  "#3550b8",
  "#2c43a0",
  "#1f3384",
];

const dark: MantineColorsTuple = [
  "#dfe2e8",
  "#bcc1cb",
  "#a0a6b3",
  "#6d7482",
  "#464c58",
  "#333842",
  "#242830",
  "#181b20",
  "#131519",
  "#0d0f12",
];

const FONT =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif';
const MONO = 'ui-monospace, "SF Mono", SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace';

/** System fonts only: the page asks no other host for anything. */
export const theme = createTheme({
  primaryColor: "star",
  primaryShade: { light: 7, dark: 7 },
  colors: { star, dark },
  fontFamily: FONT,
  fontFamilyMonospace: MONO,
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  headings: { fontFamily: FONT, fontWeight: "650" },
});

/** The page's own colours, by meaning. Text colours keep 4.5:1 on every surface of their scheme. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-body": "#ffffff",
    "--mantine-color-text": "#1b1f27",
    "--mantine-color-dimmed": "#59606e",
    "--mantine-color-placeholder": "#686f7d",
    "--mantine-color-error": "#b02222",
    "--vega-surface": "#ffffff",
    "--vega-side": "#f6f7f9",
    "--vega-sunken": "#f3f4f7",
    "--vega-hover": "#eceef2",
    "--vega-selected": "#e4e9fb",
    "--vega-bubble": "#edf0fa",
    "--vega-line": "#e1e4ea",
    "--vega-muted": "#59606e",
    "--vega-link": "#2c43a0",
    "--vega-accent-text": "#3550b8",
    "--vega-idle": "#a3a9b5",
    "--vega-live": "#1a8f4c",
    "--vega-live-halo": "#1a8f4c26",
    "--vega-good-text": "#14713b",
    "--vega-warn": "#b26a00",
    "--vega-warn-text": "#8a5200",
    "--vega-warn-surface": "#fdf5e6",
    "--vega-bad": "#c92a2a",
    "--vega-bad-text": "#b02222",
    "--vega-bad-line": "#f0cccc",
    "--vega-bad-surface": "#fdf4f4",
  },
  dark: {
    "--mantine-color-body": "#131519",
    "--mantine-color-text": "#dfe2e8",
    "--mantine-color-dimmed": "#a0a6b3",
    "--mantine-color-placeholder": "#8d93a0",
    "--mantine-color-error": "#f58a8a",
    "--vega-surface": "#181b20",
    "--vega-side": "#0f1114",
    "--vega-sunken": "#1b1f25",
    "--vega-hover": "#20242b",
    "--vega-selected": "#232b45",
    "--vega-bubble": "#20263a",
    "--vega-line": "#2a2f38",
    "--vega-muted": "#a0a6b3",
    "--vega-link": "#94a9ea",
    "--vega-accent-text": "#94a9ea",
    "--vega-idle": "#6d7482",
    "--vega-live": "#3fbf74",
    "--vega-live-halo": "#3fbf7433",
    "--vega-good-text": "#5fce8d",
    "--vega-warn": "#e0a33c",
    "--vega-warn-text": "#e6b35c",
    "--vega-warn-surface": "#2a2317",
    "--vega-bad": "#f06a6a",
    "--vega-bad-text": "#f58a8a",
    "--vega-bad-line": "#4d2629",
    "--vega-bad-surface": "#231719",
  },
});
