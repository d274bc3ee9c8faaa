/** The body of every detail screen: loading, error, or the thing itself. */
import { Skeleton, Stack } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ErrorPanel } from "./error-panel";

interface Props<T> {
  query: UseQueryResult<T>;
  children: (data: T) => ReactNode;
}

export function QueryView<T>({ query, children }: Props<T>) {
  if (query.isPending) return <DetailSkeleton />;
  const retry = () => void query.refetch();
  if (query.data === undefined) return <ErrorPanel error={query.error} onRetry={retry} />;
  return (
    <Stack>
      {query.error && <ErrorPanel error={query.error} onRetry={retry} />}
      {children(query.data)}
    </Stack>
  );
}

export function DetailSkeleton() {
  return (
    <Stack gap="sm" role="status" aria-label="Loading">
      <Skeleton height={28} width="40%" />
      <Skeleton height={120} />
      <Skeleton height={80} />
    </Stack>
  );
}
