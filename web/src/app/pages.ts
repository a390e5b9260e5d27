import {
  IconActivity,
  IconCalendarTime,
  IconCoin,
  IconCpu,
  IconFolder,
  IconLayoutDashboard,
  IconMessageCircle,
  IconPlug,
  IconRobot,
  IconRoute,
  IconSettings,
  IconShieldCheck,
  IconSitemap,
} from "@tabler/icons-react";

/** The pages in the order of the sidebar. */
export const PAGES = [
  { path: "/", title: "Chat", Icon: IconMessageCircle },
  { path: "/overview", title: "Overview", Icon: IconLayoutDashboard },
  { path: "/processes", title: "Processes", Icon: IconCpu },
  { path: "/tree", title: "Tree", Icon: IconSitemap },
  { path: "/events", title: "Events", Icon: IconActivity },
  { path: "/agents", title: "Agents", Icon: IconRobot },
  { path: "/mcp", title: "MCP servers", Icon: IconPlug },
  { path: "/workflows", title: "Workflows", Icon: IconRoute },
  { path: "/costs", title: "Costs", Icon: IconCoin },
  { path: "/approvals", title: "Approvals", Icon: IconShieldCheck },
  { path: "/schedules", title: "Schedules", Icon: IconCalendarTime },
  { path: "/files", title: "Files", Icon: IconFolder },
  { path: "/settings", title: "Settings", Icon: IconSettings },
] as const;
