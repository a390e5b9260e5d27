import { ActionIcon } from "@mantine/core";
import { IconMenu2, IconX } from "@tabler/icons-react";
import { type KeyboardEvent, lazy, type ReactNode, Suspense, useState } from "react";
import { Link, useLocation } from "wouter";

import { AgentList } from "../chat/AgentList";
import { Brand } from "./Brand";
import { Keys } from "./Keys";
import { LiveIndicator } from "./LiveIndicator";
import { PAGES } from "./pages";
import { SchemeToggle } from "./SchemeToggle";
import classes from "./Shell.module.css";

const Waiting = lazy(() => import("./Waiting"));

/** Sidebar with pages and agents, and the page. On a phone the sidebar is a sheet behind the menu button. */
export function Shell({ children }: { children: ReactNode }) {
  const [open, setOpen] = useState(false);
  const close = (): void => setOpen(false);
  const closeOnEscape = (event: KeyboardEvent): void => {
    if (!open || event.key !== "Escape") return;
    event.preventDefault(); // a page may take Escape for its own
    close();
  };
  return (
    <div className={classes.shell} onKeyDown={closeOnEscape}>
      <a className={classes.skip} href="#main">
        Skip to the page
      </a>
      <header className={classes.topbar}>
        <ActionIcon
          variant="subtle"
          color="var(--vega-muted)"
          size="lg"
          aria-label={open ? "Close the menu" : "Open the menu"}
          aria-expanded={open}
          aria-controls="sidebar"
          onClick={() => setOpen(!open)}
        >
          {open ? <IconX size={20} /> : <IconMenu2 size={20} />}
        </ActionIcon>
        <Brand />
      </header>
      <div className={classes.side} id="sidebar" data-open={open}>
        <header className={classes.sideBrand}>
          <Brand />
        </header>
        <Pages onChoose={close} />
        <AgentList onChoose={close} />
        <footer className={classes.sideFoot}>
          <LiveIndicator />
          <Keys onChoose={close} />
          <SchemeToggle />
        </footer>
      </div>
      <main className={classes.main} id="main" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

function Pages({ onChoose }: { onChoose: () => void }) {
  const [location] = useLocation();
  return (
    <nav aria-label="Pages">
      <ul className={classes.pages}>
        {PAGES.map(({ path, title, Icon }) => (
          <li key={path}>
            <Link
              href={path}
              className={classes.page ?? ""}
              aria-current={location === path || location.startsWith(`${path}/`) ? "page" : undefined}
              onClick={onChoose}
            >
              <Icon size={18} stroke={1.7} aria-hidden="true" />
              {title}
              {path === "/approvals" ? (
                <Suspense fallback={null}>
                  <Waiting />
                </Suspense>
              ) : null}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
