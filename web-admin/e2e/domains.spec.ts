import { expect, expectAccessible, expectNoSidewaysScroll, settled, test } from "./test";

test("a domain is claimed, checked, and released by typing its name", async ({ page }) => {
  await page.goto("/console/domains");
  await settled(page);
  await page.getByRole("button", { name: "Add a domain" }).click();
  await page.getByLabel("Name").fill("https://nowhere.test");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByText(/without https:\/\//).first()).toBeVisible();
  await page.getByLabel("Name").fill("App.Nowhere.test");
  await page.getByRole("button", { name: "Add", exact: true }).click();

  await expect(page.getByRole("heading", { level: 1, name: "app.nowhere.test" })).toBeVisible();
  const records = page.getByRole("table", { name: "Records to set" });
  await expect(records).toContainText("_holdfast.app.nowhere.test");
  await expect(records).toContainText("holdfast-verification=");
  await expect(page.getByRole("table", { name: "Steps" }).getByRole("row")).not.toHaveCount(0);
  await expectNoSidewaysScroll(page);
  await expectAccessible(page);

  await page.getByRole("button", { name: "Release" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("button", { name: "Release" })).toBeDisabled();
  await dialog.getByLabel(/to confirm/).fill("app.nowhere.test");
  await dialog.getByRole("button", { name: "Release" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Domains" })).toBeVisible();
  await expect(page.getByRole("link", { name: "app.nowhere.test" })).toHaveCount(0);
});
