import { expect, expectAccessible, expectNoSidewaysScroll, settled, test, unique } from "./test";
import { use, VARIANTS } from "./variants";

test("requests are seen as they come, filtered, opened and paused", async ({ page }) => {
  const name = unique("seen");
  await page.goto(`/console/traffic?path=/${name}`);
  await settled(page);
  await expect(page.getByText("Live")).toBeVisible();
  await expect(page.getByText("No recent request is like this.")).toBeVisible();
  await expectAccessible(page);

  await page.request.get(`/${name}/one?token=hush`);
  const row = page.getByRole("button", { name: `GET /${name}/one` });
  await row.click();
  const drawer = page.getByRole("dialog", { name: "Request" });
  await expect(drawer).toContainText("Trace id");
  await expect(drawer).toContainText("404");
  await expect(drawer).not.toContainText("hush");
  for (const variant of VARIANTS) {
    await use(page, variant);
    await expectNoSidewaysScroll(page);
    await expectAccessible(page);
  }
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "Pause" }).click();
  await expect(page.getByText("Paused")).toBeVisible();
  await page.request.get(`/${name}/two`);
  await page.getByRole("button", { name: "Go on" }).click();
  await expect(page.getByRole("button", { name: `GET /${name}/two` })).toBeVisible();
});

test("a limit is tried on what was just asked", async ({ page }) => {
  const name = unique("flood");
  for (let count = 0; count < 5; count++) await page.request.get(`/${name}`);
  await page.goto("/console/limits");
  await settled(page);
  await expect(page.getByRole("table", { name: "Limits in force" })).toContainText("address");
  await page.getByRole("textbox", { name: "Requests a minute" }).fill("1");
  await page.getByRole("textbox", { name: "At once" }).fill("2");
  await page.getByRole("textbox", { name: "Path begins with" }).fill(`/${name}`);
  await page.getByRole("button", { name: "What would it refuse?" }).click();

  await expect(page.getByText("3 of 5 (60 %)")).toBeVisible();
  await expect(page.getByText("1 of 1 (100 %)")).toBeVisible();
  for (const variant of VARIANTS) {
    await use(page, variant);
    await expectNoSidewaysScroll(page);
    await expectAccessible(page);
  }
});
