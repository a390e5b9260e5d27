import { useVirtualizer } from "@tanstack/react-virtual";
import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import { type ReactNode, useMemo, useRef, useState } from "react";

import classes from "./VirtualTable.module.css";

export interface Column<Row> {
  key: string;
  title: string;
  /** A track of the CSS grid. */
  width: string;
  numeric?: boolean;
  /** The track on a phone, where it is not the usual one. */
  phone?: string;
  /** Hidden on a phone; the row's own page has it. */
  wide?: boolean;
  /** What the rows are sorted by; without it the column cannot be sorted. */
  by?: (row: Row) => string | number;
  render: (row: Row) => ReactNode;
}

interface VirtualTableProps<Row> {
  label: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  keyOf: (row: Row) => string;
  rowHeight: number;
}

interface Sorting {
  key: string;
  descending: boolean;
}

/** A table of any length: only the rows in sight are in the document. Its rows and cells carry the roles of one. */
export function VirtualTable<Row>({ label, rows, columns, keyOf, rowHeight }: VirtualTableProps<Row>) {
  const [sorting, setSorting] = useState<Sorting | null>(null);
  const sorted = useMemo(() => inOrder(rows, columns, sorting), [rows, columns, sorting]);
  const scroller = useRef<HTMLDivElement>(null);
  // eslint-disable-next-line react-hooks/incompatible-library -- nothing here is compiled or memoised by its result
  const virtual = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 6,
  });
  const tracks = { wide: columns.map((column) => column.width).join(" "), phone: phoneTracks(columns) };
  return (
    <div
      ref={scroller}
      className={classes.scroller}
      tabIndex={0}
      role="table"
      aria-label={label}
      aria-rowcount={sorted.length + 1}
      style={{ "--wide-tracks": tracks.wide, "--phone-tracks": tracks.phone } as React.CSSProperties}
    >
      <div role="rowgroup" className={classes.head}>
        <div role="row" aria-rowindex={1} className={classes.row}>
          {columns.map((column) => (
            <Heading key={column.key} column={column} sorting={sorting} onSort={setSorting} />
          ))}
        </div>
      </div>
      <div role="rowgroup" className={classes.body} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const row = sorted[item.index];
          return row === undefined ? null : (
            <div
              key={keyOf(row)}
              role="row"
              aria-rowindex={item.index + 2}
              className={`${classes.row ?? ""} ${classes.item ?? ""}`}
              style={{ height: item.size, transform: `translateY(${item.start}px)` }}
            >
              {columns.map((column) => (
                <div key={column.key} role="cell" data-numeric={column.numeric} data-wide={column.wide}>
                  {column.render(row)}
                </div>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function phoneTracks<Row>(columns: readonly Column<Row>[]): string {
  return columns
    .filter((column) => !column.wide)
    .map((column) => column.phone ?? (column.numeric ? "auto" : "minmax(0, 1fr)"))
    .join(" ");
}

interface HeadingProps<Row> {
  column: Column<Row>;
  sorting: Sorting | null;
  onSort: (sorting: Sorting | null) => void;
}

/** Sorts one way, the other way, and not at all. */
function Heading<Row>({ column, sorting, onSort }: HeadingProps<Row>) {
  const mine = sorting?.key === column.key ? sorting : null;
  const direction = mine === null ? "none" : mine.descending ? "descending" : "ascending";
  const first = column.numeric === true;
  const next = (): void => {
    if (mine === null) onSort({ key: column.key, descending: first });
    else onSort(mine.descending === first ? { key: column.key, descending: !first } : null);
  };
  const Arrow = mine?.descending ? IconArrowDown : IconArrowUp;
  return (
    <div
      role="columnheader"
      aria-sort={column.by ? direction : undefined}
      data-numeric={column.numeric}
      data-wide={column.wide}
    >
      {column.by ? (
        <button type="button" className={classes.sort} onClick={next}>
          {column.title}
          {mine ? <Arrow size={13} aria-hidden="true" /> : null}
        </button>
      ) : (
        column.title
      )}
    </div>
  );
}

function inOrder<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sorting: Sorting | null,
): readonly Row[] {
  const by = columns.find((column) => column.key === sorting?.key)?.by;
  if (!by || !sorting) return rows;
  const sign = sorting.descending ? -1 : 1;
  return [...rows].sort((one, other) => {
    const [a, b] = [by(one), by(other)];
    return a === b ? 0 : (a < b ? -1 : 1) * sign;
  });
}
