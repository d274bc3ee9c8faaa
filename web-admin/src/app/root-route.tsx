/** The routes that all others hang from: the root, and what is behind the sign-in. */
import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, Outlet, redirect } from "@tanstack/react-router";
import { statusOf } from "../api/problem";
import { meQuery } from "../session/me";
import { NotFound } from "./fallbacks";
import { Shell } from "./shell";

export const root = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  component: Outlet,
  notFoundComponent: NotFound,
});

/** Everything behind the sign-in. */
export const app = createRoute({
  getParentRoute: () => root,
  id: "app",
  component: Shell,
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queryClient.query({ ...meQuery, staleTime: "static" });
    } catch (error) {
      if (statusOf(error) === 401) throw redirect({ to: "/sign-in", search: { next: location.href } });
      throw error;
    }
  },
});
