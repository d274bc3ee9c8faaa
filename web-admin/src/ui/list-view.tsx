/** The body of every list screen: loading, error, nothing there, the rows, and more of them. */
import { Button, Center, Group, Paper, Skeleton, Stack, Text, VisuallyHidden } from "@mantine/core";
import { Inbox } from "lucide-react";
import type { ReactNode } from "react";
import type { List } from "../lists/use-list";
import { DataTable, type Column, type Sorting } from "./data-table";
import { ErrorPanel } from "./error-panel";

interface Props<T> extends Sorting {
  list: List<T>;
  caption: string;
  columns: Column<T>[];
  rowKey: (row: T) => string;
  /** Said when there is nothing, with the way out of it. */
  empty: ReactNode;
}

export function ListView<T>({ list, caption, empty, ...table }: Props<T>) {
  if (list.pending) return <ListSkeleton />;
  if (list.error && list.rows.length === 0) return <ErrorPanel error={list.error} onRetry={list.reload} />;
  return (
    <Stack gap="sm">
      {list.error && <ErrorPanel error={list.error} onRetry={list.reload} />}
      <Paper withBorder>
        {list.rows.length > 0 ? (
          <DataTable caption={caption} rows={list.rows} {...table} />
        ) : (
          <Empty>{empty}</Empty>
        )}
      </Paper>
      <Group justify="space-between" mih={30}>
        <Text size="sm" c="dimmed" role="status">
          {list.more ? `The first ${list.rows.length}` : count(list.rows.length)}
          <VisuallyHidden> of {caption.toLowerCase()}</VisuallyHidden>
        </Text>
        {list.more && (
          <Button variant="default" size="xs" onClick={list.loadMore} loading={list.loadingMore}>
            Load more
          </Button>
        )}
      </Group>
    </Stack>
  );
}

function count(rows: number): string {
  return rows === 1 ? "1 row" : `${rows} rows`;
}

function Empty({ children }: { children: ReactNode }) {
  return (
    <Center p="xl">
      <Stack align="center" gap="xs" c="dimmed" ta="center">
        <Inbox size={28} strokeWidth={1.4} aria-hidden />
        <Text size="md" component="div">
          {children}
        </Text>
      </Stack>
    </Center>
  );
}

function ListSkeleton() {
  return (
    <Paper withBorder p="md" role="status" aria-label="Loading">
      <Stack gap="sm">
        {Array.from({ length: 6 }, (_, row) => (
          <Skeleton key={row} height={22} radius="sm" />
        ))}
      </Stack>
    </Paper>
  );
}
