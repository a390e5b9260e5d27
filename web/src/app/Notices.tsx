import { ActionIcon } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { Link, useLocation } from "wouter";

import type { ServerEvent } from "../api/types";
import { isSeenAt, type Notice, noticeOf } from "./notice";
import classes from "./Notices.module.css";
import { useLive } from "./useLive";

const SHOWN_MS = 8000;
/** Of a burst only the newest: the rest is on the overview. */
const AT_ONCE = 3;

interface Shown extends Notice {
  key: string;
}

/** Says in a corner what somebody would want to know who looks at another page. */
export default function Notices() {
  const { activity } = useLive();
  const [location] = useLocation();
  const [shown, setShown] = useState<readonly Shown[]>([]);
  const page = useRef(location);
  const newest = useRef<string | null>(null);

  useEffect(() => {
    page.current = location;
  }, [location]);

  useEffect(() => {
    const fresh = activity.slice(0, placeOf(activity, newest.current));
    newest.current = activity[0]?.key ?? null;
    const told = fresh.flatMap((event): Shown[] => {
      const notice = noticeOf(event);
      return notice === null || isSeenAt(page.current, notice) ? [] : [{ ...notice, key: event.key }];
    });
    if (told.length > 0) setShown((known) => [...told, ...known].slice(0, AT_ONCE));
  }, [activity]);

  const close = (key: string): void => setShown((known) => known.filter((notice) => notice.key !== key));
  return (
    <ol className={classes.notices} aria-live="polite" aria-label="Notices">
      {shown.map((notice) => (
        <Item key={notice.key} notice={notice} onClose={() => close(notice.key)} />
      ))}
    </ol>
  );
}

function placeOf(activity: readonly (ServerEvent & { key: string })[], key: string | null): number {
  const at = activity.findIndex((event) => event.key === key);
  return at < 0 ? activity.length : at;
}

/** It goes by itself, but not from under a pointer or the keyboard's focus. */
function Item({ notice, onClose }: { notice: Notice; onClose: () => void }) {
  const [held, setHeld] = useState(false);
  const close = useRef(onClose);
  useEffect(() => {
    close.current = onClose;
  }, [onClose]);
  useEffect(() => {
    if (held) return undefined;
    const timer = setTimeout(() => close.current(), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [held]);
  const hold = { onPointerEnter: () => setHeld(true), onFocus: () => setHeld(true) };
  const release = { onPointerLeave: () => setHeld(false), onBlur: () => setHeld(false) };
  return (
    <li className={classes.notice} data-bad={notice.bad} {...hold} {...release}>
      <div>
        <strong>{notice.title}</strong>
        <p>
          {notice.text}{" "}
          <Link href={notice.address} onClick={onClose}>
            Look
          </Link>
        </p>
      </div>
      <ActionIcon variant="subtle" color="var(--vega-muted)" aria-label="Close the notice" onClick={onClose}>
        <IconX size={16} />
      </ActionIcon>
    </li>
  );
}
