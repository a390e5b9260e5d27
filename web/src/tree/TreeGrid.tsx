import { defaultRangeExtractor, useVirtualizer } from "@tanstack/react-virtual";
import { IconChevronRight } from "@tabler/icons-react";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { Link } from "wouter";

import { processAddress } from "../processes/process";
import { Gauge } from "../ui/Gauge";
import { Status } from "../ui/StatusDot";
import { gaugeText, type Row, type TreeNode, visibleRows } from "./nodes";
import classes from "./TreeGrid.module.css";

const ROW_PX = 38;

/** A tree as a table whose rows fold, moved through by the arrow keys (WAI-ARIA treegrid); of any length. */
export function TreeGrid({ label, nodes }: { label: string; nodes: readonly TreeNode[] }) {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [active, setActive] = useState<string | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => visibleRows(nodes, closed), [nodes, closed]);
  const found = rows.findIndex((row) => row.node.key === active);
  const focused = Math.max(0, found);
  // eslint-disable-next-line react-hooks/incompatible-library -- nothing here is compiled or memoised by its result
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 6,
    // The row that Tab leads to stays in the document, wherever it is scrolled to.
    rangeExtractor: (range) => [...new Set([...defaultRangeExtractor(range), focused])].sort((a, b) => a - b),
  });

  // A row that was moved to may be there only after the table has scrolled to it.
  const moving = useRef(false);
  useEffect(() => {
    if (!moving.current || active === null) return;
    const row = scroller.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(active)}"]`);
    if (!row) return;
    moving.current = false;
    row.focus({ preventScroll: true });
  });

  const fold = (key: string, folded: boolean): void => {
    const next = new Set(closed);
    if (folded) next.add(key);
    else next.delete(key);
    setClosed(next);
  };
  const moveTo = (at: number): void => {
    const row = rows[at];
    if (!row) return;
    virtual.scrollToIndex(at);
    moving.current = true;
    setActive(row.node.key);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const row = rows[focused];
    if (!row || !(event.target instanceof HTMLElement) || event.target.role !== "row") return;
    const foldable = row.node.children.length > 0;
    const open = foldable && !closed.has(row.node.key);
    const link = event.target.querySelector("a");
    const keys: Record<string, () => void> = {
      ArrowDown: () => moveTo(focused + 1),
      ArrowUp: () => moveTo(focused - 1),
      Home: () => moveTo(0),
      End: () => moveTo(rows.length - 1),
      ArrowRight: () => (open ? moveTo(focused + 1) : foldable && fold(row.node.key, false)),
      ArrowLeft: () =>
        open ? fold(row.node.key, true) : moveTo(rows.findIndex((each) => each.node.key === row.parent)),
      Enter: () => link?.click(),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };

  return (
    <div
      ref={scroller}
      className={classes.scroller}
      role="treegrid"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      onKeyDown={onKeyDown}
    >
      <div role="rowgroup" className={classes.head}>
        <div role="row" aria-rowindex={1} className={classes.row}>
          <span role="columnheader">Process</span>
          <span role="columnheader">Status</span>
          <span role="columnheader" className={classes.wide}>
            Restarts
          </span>
        </div>
      </div>
      <div role="rowgroup" className={classes.body} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index];
          return row === undefined ? null : (
            <TreeRow
              key={row.node.key}
              row={row}
              index={index}
              top={start}
              folded={closed.has(row.node.key)}
              focusable={index === focused}
              onFocus={() => setActive(row.node.key)}
              onFold={(folded) => fold(row.node.key, folded)}
            />
          );
        })}
      </div>
    </div>
  );
}

interface TreeRowProps {
  row: Row;
  index: number;
  top: number;
  folded: boolean;
  focusable: boolean;
  onFocus: () => void;
  onFold: (folded: boolean) => void;
}

function TreeRow({ row, index, top, folded, focusable, onFocus, onFold }: TreeRowProps) {
  const { node, level, position, siblings } = row;
  const foldable = node.children.length > 0;
  return (
    <div
      role="row"
      className={`${classes.row ?? ""} ${classes.item ?? ""}`}
      data-key={node.key}
      aria-rowindex={index + 2}
      aria-level={level}
      aria-posinset={position}
      aria-setsize={siblings}
      aria-expanded={foldable ? !folded : undefined}
      tabIndex={focusable ? 0 : -1}
      style={{ height: ROW_PX, transform: `translateY(${top}px)` }}
      onFocus={onFocus}
    >
      <div
        role="gridcell"
        className={classes.name}
        style={{ paddingInlineStart: `calc(${level - 1} * var(--level))` }}
      >
        <button
          type="button"
          className={classes.fold}
          tabIndex={-1}
          aria-label={folded ? "Unfold" : "Fold"}
          data-hidden={!foldable}
          data-folded={folded}
          onClick={() => onFold(!folded)}
        >
          <IconChevronRight size={15} aria-hidden="true" />
        </button>
        {node.processId === null ? (
          <span className={classes.supervisor}>{node.label}</span>
        ) : (
          <Link href={processAddress(node.processId)} tabIndex={-1} className={classes.label ?? ""}>
            {node.label}
          </Link>
        )}
        <span className={classes.note} title={node.note}>
          {node.note}
        </span>
      </div>
      <div role="gridcell">
        <Status status={node.status} />
      </div>
      <div role="gridcell" className={classes.wide}>
        {node.gauge ? (
          <Gauge
            label={`Restarts used by ${node.label}`}
            used={node.gauge.restarts_used}
            most={node.gauge.max_restarts}
            text={gaugeText(node.gauge)}
          />
        ) : null}
      </div>
    </div>
  );
}
