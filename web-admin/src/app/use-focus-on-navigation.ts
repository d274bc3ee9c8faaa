import { useRouterState } from "@tanstack/react-router";
import { useEffect, useRef } from "react";

/** After a change of screen the focus goes to its heading, so that it is read out and the keyboard starts there. */
export function useFocusOnNavigation() {
  const path = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const before = useRef(path);
  useEffect(() => {
    if (before.current && path !== before.current) {
      const target = document.querySelector<HTMLElement>("#main h1") ?? document.getElementById("main");
      target?.focus({ preventScroll: true });
    }
    before.current = path;
  }, [path]);
}
