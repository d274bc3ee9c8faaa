/** Renders as the console does: a piece of it under its providers, or the whole of it at a path. */
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { BASE } from "../app/base";
import { Providers } from "../app/providers";
import { createQueryClient } from "../app/query-client";
import { createAppRouter } from "../app/router";
import { signInAgain } from "../session/sign-in-again";

export function wrapper() {
  const client = createQueryClient(() => {});
  return function Wrapper({ children }: { children: ReactNode }) {
    return (
      <MantineProvider env="test">
        <QueryClientProvider client={client}>{children}</QueryClientProvider>
      </MantineProvider>
    );
  };
}

export function renderPiece(piece: ReactNode) {
  return render(piece, { wrapper: wrapper() });
}

export function renderConsole(path: string) {
  window.history.replaceState(null, "", BASE + path);
  const queryClient = createQueryClient(() => signInAgain(router));
  const router = createAppRouter(queryClient);
  render(
    <Providers queryClient={queryClient}>
      <RouterProvider router={router} />
    </Providers>,
  );
  return router;
}
