import type { AppRouter } from "../app/router";
import { meQuery } from "./me";

/** The session is over: to the sign-in, and back here afterwards. */
export function signInAgain(router: AppRouter): void {
  const here = router.state.location;
  if (here.pathname === "/sign-in") return;
  const { queryClient } = router.options.context;
  void router
    .navigate({ to: "/sign-in", search: { next: here.href } })
    .then(() => queryClient.removeQueries({ queryKey: meQuery.queryKey }));
}
