import { expect, expectAccessible, home, settled, test } from "./test";

test("the audit trail is filtered, opened and verified", async ({ page }) => {
  await page.goto("/console/audit");
  await settled(page);
  await page.getByRole("button", { name: "Verify" }).click();
  await expect(page.getByText("Intact", { exact: true })).toBeVisible();

  await page.getByRole("combobox", { name: "Outcome" }).click();
  await page.getByRole("option", { name: "success" }).click();
  await expect(page).toHaveURL(/outcome=success/);
  await settled(page);
  const table = page.getByRole("table", { name: "Audit entries" });
  const first = table.getByRole("cell").getByRole("button").first();
  const action = await first.innerText();
  await first.click();

  const drawer = page.getByRole("dialog", { name: "Audit entry" });
  await expect(drawer).toContainText(action);
  await expect(drawer.getByText("Leaf hash")).toBeVisible();
  await expect(page).toHaveURL(/entry=aud_/);
  await expectAccessible(page);
});

test("the audit export downloads what the filter selects", async ({ page }) => {
  await page.goto("/console/audit?outcome=success");
  await settled(page);

  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Export" }).click();

  expect((await download).suggestedFilename()).toContain("ndjson");
});

test("a job is found in the list and opened", async ({ page }) => {
  const started = await page.request.post("/api/v1/audit/verify", { headers: { Origin: home() } });
  expect([202, 404]).toContain(started.status());
  await page.goto("/console/jobs");
  await settled(page);

  await page.getByRole("table", { name: "Jobs" }).getByRole("link").first().click();
  await settled(page);

  await expect(page.getByRole("link", { name: "Jobs" }).first()).toBeVisible();
  await expect(page.getByRole("definition").filter({ hasText: /^job_/ })).toBeVisible();
  await expectAccessible(page);
});

test("home draws the live charts", async ({ page }) => {
  await page.goto("/console/");

  await expect(page.getByRole("img", { name: /Requests over the last five minutes/ })).toBeVisible();
  await expect(page.getByRole("img", { name: /Latency over the last five minutes/ })).toBeVisible();
  await expect(page.locator(".recharts-area-curve").first()).toBeVisible();
});
