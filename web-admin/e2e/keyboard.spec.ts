import type { Locator } from "@playwright/test";
import { expect, guestTest, OPERATOR, settled, test } from "./test";

guestTest("signing in needs the keyboard only, and returns to where one wanted to go", async ({ page }) => {
  await page.goto("/console/audit?outcome=denied");
  await expect(page.getByRole("heading", { level: 1, name: "Sign in" })).toBeVisible();

  for (let step = 0; step < 5 && !(await focusIsOn(page.getByLabel("E-mail"))); step++)
    await page.keyboard.press("Tab");
  await page.keyboard.type(OPERATOR.email);
  await page.keyboard.press("Tab");
  await expect(page.getByLabel(/^Password/)).toBeFocused();
  await page.keyboard.type(OPERATOR.password);
  await page.keyboard.press("Enter");

  await expect(page.getByRole("heading", { level: 1, name: "Audit" })).toBeVisible();
  await expect(page).toHaveURL(/outcome=denied/);
});

guestTest("a wrong password is refused with a code and a request id", async ({ page }) => {
  await page.goto("/console/sign-in");
  await page.getByLabel("E-mail").fill(OPERATOR.email);
  await page.getByLabel(/^Password/).fill("certainly not this one");
  await page.keyboard.press("Enter");

  const alert = page.getByRole("alert");
  await expect(alert).toContainText(/identity\./);
  await expect(alert.getByRole("button", { name: "Copy request id" })).toBeVisible();
});

test("the skip link leads to the content, and a new screen takes the focus", async ({ page }) => {
  await page.goto("/console/");
  await settled(page);
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator("#main")).toBeFocused();

  await page.getByRole("link", { name: "Roles" }).focus();
  await page.keyboard.press("Enter");

  await expect(page.getByRole("heading", { level: 1, name: "Roles" })).toBeFocused();
});

test("on a phone the navigation is a drawer that closes with Escape", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto("/console/");
  await page.getByRole("button", { name: "Menu" }).click();
  await expect(page.getByRole("dialog").getByRole("link", { name: "Sessions" })).toBeVisible();

  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("dialog").getByRole("link", { name: "Sessions" }).click();

  await expect(page.getByRole("heading", { level: 1, name: "Sessions" })).toBeVisible();
});

async function focusIsOn(target: Locator): Promise<boolean> {
  return target.evaluate((element) => element === document.activeElement);
}
