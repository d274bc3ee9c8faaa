import { useEffect, useState } from "react";

/** The token of a one-time link. It is taken out of the address at once, so that it stays in no history. */
export function useFragmentToken(): string {
  const [token] = useState(() => new URLSearchParams(window.location.hash.slice(1)).get("token") ?? "");
  useEffect(() => {
    if (window.location.hash) window.history.replaceState(window.history.state, "", window.location.pathname);
  }, []);
  return token;
}
