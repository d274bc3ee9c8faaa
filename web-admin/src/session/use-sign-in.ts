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

export function useSignIn(next?: string) {
  const router = useRouter();
  const client = useQueryClient();
  return useAction({
    anonymous: true,
    run: ({ email, password }: Credentials, headers) =>
      ask(api.POST("/api/v1/identity/sessions", { body: { email, password, transport: "cookie" }, headers })),
    onSuccess: () => {
      client.clear();
      router.history.push(BASE + pathOf(next));
    },
  });
}

/** Only a path of the console is a place to return to. */
export function pathOf(next: string | undefined): string {
  return next?.startsWith("/") && !next.startsWith("//") ? next : "/";
}
