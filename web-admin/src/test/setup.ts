/** What jsdom lacks and Mantine asks for. */
import "@testing-library/jest-dom/vitest";
import { cleanNotifications } from "@mantine/notifications";
import { cleanup, configure } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";

// Screens are loaded when they are opened, which takes its time on a busy machine.
configure({ asyncUtilTimeout: 10_000 });

class NoResizeObserver {
  observe() {}
  unobserve() {}
  disconnect() {}
}

beforeEach(() => {
  vi.stubGlobal("ResizeObserver", NoResizeObserver);
  vi.stubGlobal("matchMedia", (query: string) => ({
    matches: false,
    media: query,
    addEventListener() {},
    removeEventListener() {},
  }));
  // Text fields that grow measure themselves again when fonts come.
  Object.defineProperty(document, "fonts", { value: new EventTarget(), configurable: true });
  window.scrollTo = () => {};
  Element.prototype.scrollIntoView = () => {};
});

// Notifications live in a store of the module, not in the page.
afterEach(() => {
  cleanNotifications();
  cleanup();
});
