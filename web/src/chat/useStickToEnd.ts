import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

/** A line or two above the end still counts as the end: images of the same text wrap a little differently. */
const NEAR_PX = 48;

interface StickToEnd {
  scroller: RefObject<HTMLDivElement | null>;
  atEnd: boolean;
  toEnd: () => void;
}

/**
 * Keeps a scroller at its end whenever `content` changes, unless the reader has scrolled up; another `length` of the
 * conversation goes to its end in any case, for the reader has just written.
 */
export function useStickToEnd(content: unknown, length: number): StickToEnd {
  const scroller = useRef<HTMLDivElement>(null);
  const sticks = useRef(true);
  const [atEnd, setAtEnd] = useState(true);

  const toEnd = useCallback((): void => {
    const element = scroller.current;
    if (element) element.scrollTop = element.scrollHeight;
  }, []);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    const look = (): void => {
      const near = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX;
      sticks.current = near;
      setAtEnd(near);
    };
    element.addEventListener("scroll", look, { passive: true });
    return () => element.removeEventListener("scroll", look);
  }, []);

  useLayoutEffect(() => {
    sticks.current = true;
  }, [length]);

  useLayoutEffect(() => {
    if (sticks.current) toEnd();
  }, [content, toEnd]);

  return { scroller, atEnd, toEnd };
}
