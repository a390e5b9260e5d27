import { IconChevronRight } from "@tabler/icons-react";
import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { Link } from "wouter";

import { processAddress } from "../processes/process";
import { Gauge } from "../ui/Gauge";
import { Status } from "../ui/StatusDot";
import { gaugeText, type Row, type TreeNode, visibleRows } from "./nodes";
import classes from "./TreeGrid.module.css";

/** A tree as a table whose rows fold, moved through by the arrow keys (WAI-ARIA treegrid). */
export function TreeGrid({ label, nodes }: { label: string; nodes: readonly TreeNode[] }) {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [active, setActive] = useState<string | null>(null);
  const table = useRef<HTMLTableElement>(null);
  const rows = useMemo(() => visibleRows(nodes, closed), [nodes, closed]);
  const focused = rows.some((row) => row.node.key === active) ? active : (rows[0]?.node.key ?? null);

  const fold = (key: string, folded: boolean): void => {
    const next = new Set(closed);
    if (folded) next.add(key);
    else next.delete(key);
    setClosed(next);
  };
  const moveTo = (key: string | null | undefined): void => {
    if (key === null || key === undefined) return;
    setActive(key);
    table.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = rows.findIndex((row) => row.node.key === focused);
    const row = rows[at];
    if (!row || !(event.target instanceof HTMLTableRowElement)) return;
    const open = row.node.children.length > 0 && !closed.has(row.node.key);
    const foldable = row.node.children.length > 0;
    const keys: Record<string, () => void> = {
      ArrowDown: () => moveTo(rows[at + 1]?.node.key),
      ArrowUp: () => moveTo(rows[at - 1]?.node.key),
      Home: () => moveTo(rows[0]?.node.key),
      End: () => moveTo(rows.at(-1)?.node.key),
      ArrowRight: () => (open ? moveTo(rows[at + 1]?.node.key) : foldable && fold(row.node.key, false)),
      ArrowLeft: () => (open ? fold(row.node.key, true) : moveTo(row.parent)),
      Enter: () => event.target instanceof HTMLElement && event.target.querySelector("a")?.click(),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };

  return (
    <div className={classes.scroller}>
      <table ref={table} role="treegrid" aria-label={label} className={classes.tree} onKeyDown={onKeyDown}>
        <thead>
          <tr>
            <th scope="col">Process</th>
            <th scope="col">Status</th>
            <th scope="col">Restarts</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <TreeRow
              key={row.node.key}
              row={row}
              folded={closed.has(row.node.key)}
              focusable={row.node.key === focused}
              onFocus={() => setActive(row.node.key)}
              onFold={(folded) => fold(row.node.key, folded)}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface TreeRowProps {
  row: Row;
  folded: boolean;
  focusable: boolean;
  onFocus: () => void;
  onFold: (folded: boolean) => void;
}

function TreeRow({ row, folded, focusable, onFocus, onFold }: TreeRowProps) {
  const { node, level, position, siblings } = row;
  const foldable = node.children.length > 0;
  return (
    <tr
      data-key={node.key}
      aria-level={level}
      aria-posinset={position}
      aria-setsize={siblings}
      aria-expanded={foldable ? !folded : undefined}
      tabIndex={focusable ? 0 : -1}
      onFocus={onFocus}
    >
      <td role="gridcell">
        <div className={classes.name} style={{ paddingInlineStart: `${(level - 1) * 20}px` }}>
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
          <span className={classes.words}>
            {node.processId === null ? (
              <span className={classes.supervisor}>{node.label}</span>
            ) : (
              <Link href={processAddress(node.processId)} tabIndex={-1}>
                {node.label}
              </Link>
            )}
            <span className={classes.note}>{node.note}</span>
          </span>
        </div>
      </td>
      <td role="gridcell">
        <Status status={node.status} />
      </td>
      <td role="gridcell">
        {node.gauge ? (
          <Gauge
            label={`Restarts used by ${node.label}`}
            used={node.gauge.restarts_used}
            most={node.gauge.max_restarts}
            text={gaugeText(node.gauge)}
          />
        ) : null}
      </td>
    </tr>
  );
}
