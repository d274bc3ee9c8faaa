import { expect, expectAccessible, OPERATOR, settled, signIn, test, unique, visitor } from "./test";

test("a custom role is created, edited and deleted", async ({ page }) => {
  const name = unique("auditor");
  await page.goto("/console/roles");
  await page.getByRole("link", { name: "New role" }).click();
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("audit.read").check();
  await page.getByRole("button", { name: "Create the role" }).click();
  await page.getByRole("link", { name }).click();
  await expect(page.getByLabel("audit.read")).toBeChecked();

  await page.getByLabel("jobs.read").check();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Role saved.")).toBeVisible();
  await page.reload();
  await expect(page.getByLabel("jobs.read")).toBeChecked();
  await expectAccessible(page);

  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("button", { name: "Delete the role" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Roles" })).toBeVisible();
  await expect(page.getByRole("link", { name })).toHaveCount(0);
});

test("an invitation is made, shown once and revoked", async ({ page }) => {
  const email = `${unique("guest")}@example.com`;
  await page.goto("/console/members/invitations");
  await page.getByRole("button", { name: "Invite" }).click();
  const form = page.getByRole("dialog");
  await form.getByLabel("E-mail").fill(email);
  await form.getByRole("combobox", { name: "Role" }).click();
  await page.getByRole("option", { name: "viewer" }).click();
  await form.getByRole("button", { name: "Make the link" }).click();
  await expect(page.getByLabel("Invitation link", { exact: true }).last()).toContainText("#token=");
  await page.getByRole("button", { name: "I have copied it" }).click();

  const row = page.getByRole("row", { name: email });
  await row.getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();

  await expect(row).toContainText("revoked");
});

test("an API key is shown once, works, and stops working when revoked", async ({ page, playwright }) => {
  const name = unique("deploy");
  await page.goto("/console/api-keys");
  await page.getByRole("button", { name: "New API key" }).click();
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("All that I may do").check();
  await page.getByRole("button", { name: "Create", exact: true }).click();
  const secret = (await page.getByLabel("API key", { exact: true }).last().innerText()).trim();
  expect(secret).toMatch(/^hf_/);
  await expectAccessible(page);
  await page.getByRole("button", { name: "I have copied it" }).click();
  await page.reload();
  await expect(page.getByRole("row", { name })).toBeVisible();
  expect(await page.content()).not.toContain(secret);

  const program = await playwright.request.newContext({
    baseURL: new URL(page.url()).origin,
    ignoreHTTPSErrors: true,
    storageState: { cookies: [], origins: [] },
    extraHTTPHeaders: { Authorization: `Bearer ${secret}` },
  });
  expect((await program.get("/api/v1/identity/me")).status()).toBe(200);
  await page.getByRole("row", { name }).getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect(page.getByRole("row", { name })).toHaveCount(0);
  expect((await program.get("/api/v1/identity/me")).status()).toBe(401);
  await program.dispose();
});

test("a revoked session ends with its next request", async ({ page, browser }) => {
  const other = await visitor(browser);
  await signIn(other.page, OPERATOR.email, OPERATOR.password);
  await page.goto("/console/sessions");
  await settled(page);
  const rows = page.getByRole("row").filter({ has: page.getByRole("button", { name: "Revoke" }) });
  const others = rows.filter({ hasNotText: "this one" });
  await expect(others.first()).toBeVisible();

  await page.getByRole("button", { name: "Sign out others" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Sign out others" }).click();
  await expect(others).toHaveCount(0);
  await other.page.getByRole("link", { name: "Audit" }).click();

  await expect(other.page.getByRole("heading", { level: 1, name: "Sign in" })).toBeVisible();
  expect(new URL(other.page.url()).searchParams.get("next")).toContain("/");
  await other.context.close();
});

test("a session revoked alone leaves the others", async ({ page, browser }) => {
  const other = await visitor(browser);
  await signIn(other.page, OPERATOR.email, OPERATOR.password);
  await page.goto("/console/sessions?sort=-created_at");
  const rows = page.getByRole("row").filter({ has: page.getByRole("button", { name: "Revoke" }) });
  await rows.filter({ hasNotText: "this one" }).first().getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect(page.getByText("Session revoked.")).toBeVisible();

  await other.page.reload();
  await page.reload();

  await expect(other.page.getByRole("heading", { level: 1, name: "Sign in" })).toBeVisible();
  await expect(page.getByRole("heading", { level: 1, name: "Sessions" })).toBeVisible();
  await other.context.close();
});
