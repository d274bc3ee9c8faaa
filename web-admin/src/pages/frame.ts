/** What the pages beside the console share: the theme chosen there, and who is signed in. */
import "./page.css";
import { api, ask } from "../api/client";

export type Scheme = "light" | "dark";

/** The console's theme, as Mantine keeps it. */
export function applyScheme(): Scheme {
  const chosen = localStorage.getItem("mantine-color-scheme-value");
  const system = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const scheme = chosen === "light" || chosen === "dark" ? chosen : system;
  document.documentElement.dataset.scheme = scheme;
  document.documentElement.style.colorScheme = scheme;
  return scheme;
}

/** Says in the bar as whom requests are made. */
export async function showCaller(): Promise<void> {
  const bar = document.getElementById("who");
  if (!bar) return;
  try {
    const me = await ask(api.GET("/api/v1/identity/me"));
    bar.textContent = `${me.account?.email ?? me.actor.kind} in ${me.tenant.slug}`;
  } catch {
    const link = document.createElement("a");
    link.href = "/console/sign-in";
    link.textContent = "Sign in to try requests";
    bar.replaceChildren(link);
  }
}
