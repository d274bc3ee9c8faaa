import { expect, expectAccessible, settled, test, unique, visitor, watch } from "./test";

test("a tenant is created, its owner accepts at the tenant's host, and it lives and ends", async ({
  page,
  browser,
}) => {
  const slug = unique("acme");
  await page.goto("/console/tenants");
  await page.getByRole("button", { name: "New tenant" }).click();
  const form = page.getByRole("dialog");
  await form.getByLabel("Name").fill("Acme Corp");
  await form.getByLabel("Slug").fill(slug);
  await form.getByLabel("Owner's e-mail").fill("owner@acme.example");
  await expectAccessible(page);
  await form.getByRole("button", { name: "Create", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Invitation link" });
  const link = await dialog.getByLabel("Invitation link", { exact: true }).innerText();
  expect(link).toContain(`://${slug}.`);
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "I have copied it" }).click();

  const owner = await visitor(browser);
  const complaints = watch(owner.page);
  await owner.page.goto(link);
  await owner.page.getByLabel("E-mail").fill("owner@acme.example");
  await owner.page.getByLabel(/^Password/).fill("seven herons over the weir");
  await owner.page.getByRole("button", { name: "Accept the invitation" }).click();
  await expect(owner.page.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();
  await expect(owner.page.getByRole("banner")).toContainText("Acme Corp");
  await owner.page.getByRole("link", { name: "Members" }).click();
  await expect(owner.page.getByRole("cell", { name: /owner@acme.example/ })).toBeVisible();
  expect(complaints).toEqual([]);
  await owner.context.close();

  await page.goto("/console/tenants");
  await page.getByRole("row", { name: slug }).getByRole("link", { name: "Acme Corp" }).click();
  await settled(page);
  await page.getByLabel("Name").fill("Acme Limited");
  await page.getByRole("button", { name: "Rename" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Acme Limited" })).toBeVisible();

  await page.getByRole("button", { name: "Suspend" }).click();
  await page.getByLabel("Reason").fill("unpaid");
  await page.getByRole("dialog").getByRole("button", { name: "Suspend" }).click();
  await expect(page.getByText("Reason: unpaid")).toBeVisible();
  await page.getByRole("button", { name: "Resume" }).click();
  await expect(page.getByText("Reason: unpaid")).toHaveCount(0);

  await page.getByRole("button", { name: "Delete", exact: true }).click();
  const confirm = page.getByRole("button", { name: "Delete the tenant" });
  await expect(confirm).toBeDisabled();
  await page.getByLabel(`Type ${slug} to confirm`).fill(slug);
  await confirm.click();
  await expect(page.getByText("To be deleted")).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Restore" }).click();
  await expect(page.getByText("To be deleted")).toHaveCount(0);
});

test("a change over a newer one is refused and offers to reload", async ({ page }) => {
  const slug = unique("race");
  await page.goto("/console/tenants");
  await page.getByRole("button", { name: "New tenant" }).click();
  await page.getByLabel("Name").fill("Racer");
  await page.getByLabel("Slug").fill(slug);
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("row", { name: slug }).getByRole("link", { name: "Racer" }).click();
  await settled(page);
  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.getByLabel("Name").fill("Faster");
  await other.getByRole("button", { name: "Rename" }).click();
  await expect(other.getByRole("heading", { level: 1, name: "Faster" })).toBeVisible();

  await page.getByLabel("Name").fill("Slower");
  await page.getByRole("button", { name: "Rename" }).click();

  const panel = page.getByRole("alert").filter({ hasText: "Changed meanwhile" });
  await expect(panel).toBeVisible();
  await panel.getByRole("button", { name: "Reload" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Faster" })).toBeVisible();
});
