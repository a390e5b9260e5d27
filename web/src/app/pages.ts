import { IconLayoutDashboard, IconMessageCircle } from "@tabler/icons-react";

/** The pages in the order of the sidebar. Only what works is listed. */
export const PAGES = [
  { path: "/", title: "Chat", Icon: IconMessageCircle },
  { path: "/overview", title: "Overview", Icon: IconLayoutDashboard },
] as const;
