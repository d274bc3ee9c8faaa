/** A table that becomes a stack of cards on a narrow room. Sorting is the server's; the header only asks for it. */
import { Table, UnstyledButton } from "@mantine/core";
import { ArrowDown, ArrowUp, ChevronsUpDown } from "lucide-react";
import type { ReactNode } from "react";
import { nextSort } from "../lists/search";
import classes from "./data-table.module.css";

export interface Column<T> {
  header: string;
  /** The field to sort by, where the server can. */
  sort?: string;
  /** Aligned and set as figures. */
  numeric?: boolean;
  render: (row: T) => ReactNode;
}

export interface Sorting {
  sort?: string;
  onSort?: (sort: string | undefined) => void;
}

interface Props<T> extends Sorting {
  caption: string;
  columns: Column<T>[];
  rows: T[];
  rowKey: (row: T) => string;
}

// The roles are written out because `display: block` in narrow room would take them away.
export function DataTable<T>({ caption, columns, rows, rowKey, sort, onSort }: Props<T>) {
  return (
    <div className={classes.frame}>
      <Table role="table" aria-label={caption} highlightOnHover className={classes.table}>
        <Table.Thead role="rowgroup">
          <Table.Tr role="row">
            {columns.map((column) => (
              <Heading key={column.header} column={column} sort={sort} onSort={onSort} />
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody role="rowgroup">
          {rows.map((row) => (
            <Table.Tr role="row" key={rowKey(row)}>
              {columns.map((column) => (
                <Table.Td
                  role="cell"
                  key={column.header}
                  data-label={column.header}
                  data-numeric={column.numeric}
                  className={classes.cell}
                >
                  <div>{column.render(row)}</div>
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function Heading<T>({ column, sort, onSort }: { column: Column<T> } & Sorting) {
  const { header, numeric, sort: field } = column;
  const shared = {
    role: "columnheader",
    scope: "col",
    "data-numeric": numeric,
    className: classes.heading,
  } as const;
  if (!field || !onSort)
    return <Table.Th {...shared}>{header || <span className={classes.hidden}>Actions</span>}</Table.Th>;
  const direction = sort === field ? "ascending" : sort === `-${field}` ? "descending" : "none";
  const Arrow = { ascending: ArrowUp, descending: ArrowDown, none: ChevronsUpDown }[direction];
  return (
    <Table.Th {...shared} aria-sort={direction} data-sortable>
      <UnstyledButton className={classes.sort} onClick={() => onSort(nextSort(sort, field))}>
        {header}
        <Arrow size={13} aria-hidden />
      </UnstyledButton>
    </Table.Th>
  );
}
