/** One list of the API: cursor paging under a filter and an order. */
import { keepPreviousData, useInfiniteQuery, type QueryKey } from "@tanstack/react-query";

export interface Page<T> {
  items: T[];
  next?: string | null;
}

export interface ListQuery {
  limit: number;
  cursor?: string;
  filter?: string;
  sort?: string;
}

interface Options<T> {
  /** Names the list in the cache; filter and order are added. */
  key: QueryKey;
  filter?: string;
  sort?: string;
  limit?: number;
  load: (query: ListQuery, signal: AbortSignal) => Promise<Page<T>>;
  refetchInterval?: number;
  enabled?: boolean;
}

export interface List<T> {
  rows: T[];
  pending: boolean;
  error: Error | null;
  more: boolean;
  loadingMore: boolean;
  loadMore: () => void;
  reload: () => void;
}

export function useList<T>({
  key,
  filter,
  sort,
  limit = 50,
  load,
  refetchInterval,
  enabled,
}: Options<T>): List<T> {
  const query = useInfiniteQuery({
    queryKey: [...key, { filter, sort, limit }],
    queryFn: ({ pageParam, signal }) => load({ limit, cursor: pageParam, filter, sort }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval,
    enabled,
  });
  return {
    rows: query.data?.pages.flatMap((page) => page.items) ?? [],
    pending: query.isPending,
    error: query.error,
    more: query.hasNextPage,
    loadingMore: query.isFetchingNextPage,
    loadMore: () => void query.fetchNextPage(),
    reload: () => void query.refetch(),
  };
}
