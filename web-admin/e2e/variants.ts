/** What every screen is checked in: a phone and a desktop, light and dark. */
import { join } from "node:path";
import type { Page } from "@playwright/test";

export const VARIANTS = [360, 1280].flatMap((width) =>
  (["light", "dark"] as const).map((scheme) => ({ width, scheme })),
);

export type Variant = (typeof VARIANTS)[number];

export async function use(page: Page, { width, scheme }: Variant): Promise<void> {
  await page.setViewportSize({ width, height: width < 600 ? 740 : 860 });
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
}

/** Pictures to look at, when HOLDFAST_SCREENSHOTS names a folder. */
export async function picture(page: Page, name: string, { width, scheme }: Variant): Promise<void> {
  const folder = process.env.HOLDFAST_SCREENSHOTS;
  if (folder) await page.screenshot({ path: join(folder, `${name}-${width}-${scheme}.png`), fullPage: true });
}
