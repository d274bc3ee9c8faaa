import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError, statusOf } from "../api/problem";

/** The cache of answers. `signedOut` is called when an answer says that the session is over. */
export function createQueryClient(signedOut: () => void): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      onError: (error, query) => {
        if (statusOf(error) === 401 && !query.meta?.anonymous) signedOut();
      },
    }),
    mutationCache: new MutationCache({
      onError: (error, _input, _context, mutation) => {
        if (statusOf(error) === 401 && !mutation.meta?.anonymous) signedOut();
      },
    }),
    defaultOptions: {
      queries: { retry: shouldRetry, staleTime: 5_000, refetchOnWindowFocus: false },
      mutations: { retry: false },
    },
  });
}

function shouldRetry(failures: number, error: Error): boolean {
  return failures < 2 && error instanceof ApiError && error.problem.retryable && error.problem.status >= 500;
}
