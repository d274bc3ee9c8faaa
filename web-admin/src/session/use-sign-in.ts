/** Signing in with the browser's cookie; the console never holds a token. */
import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useAction } from "../api/action";
import { api, ask } from "../api/client";
import { BASE } from "../app/base";

export interface Credentials {
  email: string;
  password: string;
}

/** Leads to `next`, a screen of the console, or to `to`, a page that is not the console's. */
export function useSignIn(next?: string, to?: string) {
  const router = useRouter();
  const client = useQueryClient();
  return useAction({
    anonymous: true,
    run: ({ email, password }: Credentials, headers) =>
      ask(api.POST("/api/v1/identity/sessions", { body: { email, password, transport: "cookie" }, headers })),
    onSuccess: () => {
      client.clear();
      const page = pageOf(to, window.location.origin);
      if (page) window.location.assign(page);
      else router.history.push(BASE + pathOf(next));
    },
  });
}

/** Only a path of the console is a place to return to. */
export function pathOf(next: string | undefined): string {
  return next?.startsWith("/") && !next.startsWith("//") ? next : "/";
}

/** Only a page of this host is a place to return to. */
export function pageOf(to: string | undefined, origin: string): string | undefined {
  if (!to?.startsWith("/") || !URL.canParse(to, origin)) return undefined;
  const page = new URL(to, origin);
  return page.origin === origin ? page.href : undefined;
}
