/** The tests' own `test`: at the server's address, signed in as the operator, and strict about what the browser reports. */
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test as base, type Browser, type BrowserContext, type Page } from "@playwright/test";

export { expect, type Page };

export const OPERATOR = { email: "operator@example.com", password: "tidal anchors keep the kelp" };

export const home = () => variable("HOLDFAST_E2E_URL");
export const setupUrl = () => variable("HOLDFAST_E2E_SETUP_URL");
export const operatorState = () => variable("HOLDFAST_E2E_STATE");

export const test = base.extend({
  baseURL: process.env.HOLDFAST_E2E_URL,
  storageState: process.env.HOLDFAST_E2E_STATE,
  page: async ({ page }, provide) => {
    const complaints = watch(page);
    await provide(page);
    expect(complaints, "console errors, policy violations and foreign requests").toEqual([]);
  },
});

/** For those who are not signed in yet. */
export const guestTest = test.extend({ storageState: { cookies: [], origins: [] } });

/** Collects what should never happen on any page: errors, violations of the policy, requests to other hosts. */
export function watch(page: Page): string[] {
  const complaints: string[] = [];
  page.on("console", (message) => {
    // The browser reports every 4xx answer as an error; those answers are part of the tests.
    const refusal = /the server responded with a status of 4\d\d/.test(message.text());
    if (message.type() === "error" && !refusal) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    const url = new URL(request.url());
    // The browser's own viewer of PDF files is a page of the browser.
    const local = ["data:", "blob:", "chrome-extension:", "chrome:"].includes(url.protocol);
    const own = local || url.port === new URL(home()).port;
    if (!own) complaints.push(`request to ${url.origin}`);
  });
  return complaints;
}

/** A second person, in a browser of their own. */
export async function visitor(
  browser: Browser,
  baseURL = home(),
): Promise<{ page: Page; context: BrowserContext }> {
  const context = await browser.newContext({ baseURL, ignoreHTTPSErrors: true });
  return { context, page: await context.newPage() };
}

export async function signIn(page: Page, email: string, password: string): Promise<void> {
  await page.goto("/console/sign-in");
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel(/^Password/).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();
}

/** Waits until the screen shows what it loaded. */
export async function settled(page: Page): Promise<void> {
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByRole("status", { name: "Loading" })).toHaveCount(0);
}

export async function expectAccessible(page: Page, ...exceptRules: string[]): Promise<void> {
  // What fades in has other colours on the way.
  await page.waitForFunction(() =>
    document
      .getAnimations()
      .every(({ playState, effect }) => playState !== "running" || effect?.getComputedTiming().endTime === Infinity),
  );
  const { violations } = await new AxeBuilder({ page }).disableRules(exceptRules).analyze();
  const found = violations.map(({ id, help, nodes }) => ({
    id,
    help,
    where: nodes.map((node) => node.target.join(" ")),
  }));
  expect(found).toEqual([]);
}

export async function expectNoSidewaysScroll(page: Page) {
  // The frame moves for a moment when the window's width changes.
  const beyond = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await expect.poll(beyond).toBeLessThanOrEqual(0);
}

/** A name that no other test uses. */
export function unique(prefix: string): string {
  return `${prefix}-${Math.random().toString(36).slice(2, 8)}`;
}

function variable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; the global setup sets it.`);
  return value;
}
