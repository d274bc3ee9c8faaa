import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, expectAccessible, settled, test, unique, type Page } from "./test";

let service: Server;

test.beforeAll(async () => {
  service = createServer((request, answer) => answer.end(`the service at ${request.url ?? ""}`));
  service.listen(0, "127.0.0.1");
  await once(service, "listening");
});

test.afterAll(() => void service.close());

const address = () => `http://127.0.0.1:${(service.address() as AddressInfo).port}`;

const editor = (page: Page, name: string) => page.getByRole("textbox", { name, exact: true });

const names = (page: Page) => editor(page, "Name");

async function answered(page: Page, path: string): Promise<string> {
  return (await page.request.get(path)).text();
}

async function remove(page: Page, what: "route" | "pool"): Promise<void> {
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await expectAccessible(page);
  await page.getByRole("button", { name: `Delete the ${what}` }).click();
}

test("a service is put behind a path, tried, changed and taken away", async ({ page }) => {
  const name = unique("shop");
  await page.goto("/console/routes/pools");
  await settled(page);
  await page.getByRole("link", { name: "New pool" }).first().click();
  // The list has a field of the same name.
  await expect(page.getByRole("heading", { level: 1, name: "New pool" })).toBeVisible();
  await settled(page);
  await names(page).fill(name);
  await editor(page, "Settings").fill(
    JSON.stringify({ targets: [{ url: address() }], reach: "anywhere", retry: {} }),
  );
  await expectAccessible(page);
  await page.getByRole("button", { name: "Create the pool" }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(page.getByRole("table", { name: `Servers of ${name}` })).toContainText("healthy");
  await expectAccessible(page);

  await page.getByRole("link", { name: "Routes" }).first().click();
  await settled(page);
  await page.getByRole("link", { name: "New route" }).first().click();
  await settled(page);
  await expect(page.getByText("This takes every request here")).toBeVisible();
  await expectAccessible(page);
  await names(page).fill(name);
  await editor(page, "Path begins with").fill(`/${name}`);
  await page.getByRole("combobox", { name: "Pool" }).click();
  await page.getByRole("option", { name }).click();
  await expect(editor(page, "Match")).toHaveValue(new RegExp(`"prefix": "/${name}"`));
  await page.getByRole("button", { name: "Create the route" }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await expectAccessible(page);
  expect(await answered(page, `/${name}/cart`)).toBe(`the service at /${name}/cart`);

  await page.getByRole("link", { name: "Try a request" }).click();
  await expect(page).toHaveURL(new RegExp(`target=%2F${name}`));
  const candidates = page.getByRole("table", { name: "Candidates" });
  await expect(candidates.getByRole("row", { name })).toContainText("It is the first that matches.");
  await expect(page.getByRole("definition").filter({ hasText: `to the pool ${name}` })).toBeVisible();
  await expectAccessible(page);
  await editor(page, "Path").fill("/nobody-takes-this");
  await page.getByRole("button", { name: "What would happen?" }).click();
  await expect(page.getByText("No route takes it")).toBeVisible();
  await expect(candidates.getByRole("row", { name })).toContainText("It is for another path.");

  await candidates.getByRole("link", { name }).click();
  await settled(page);
  await expect(page.getByRole("row", { name })).toContainText(`/${name}/*`);
  await page.getByRole("row", { name }).getByRole("link", { name }).click();
  await settled(page);
  await editor(page, "Match").fill(JSON.stringify({ path: { prefix: name } }));
  await editor(page, "Action").fill(JSON.stringify({ kind: "upstream", pool: "nowhere" }));
  await page.getByRole("button", { name: "Save" }).click();
  await expect(editor(page, "Match")).toHaveAttribute("aria-invalid", "true");
  await expect(editor(page, "Action")).toHaveAttribute("aria-invalid", "true");
  await expectAccessible(page);

  await editor(page, "Match").fill(JSON.stringify({ path: { exact: `/${name}` } }));
  await editor(page, "Action").fill(JSON.stringify({ kind: "respond", status: 200, body: "closed today" }));
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("The change is in force.")).toBeVisible();
  expect(await answered(page, `/${name}`)).toBe("closed today");

  await remove(page, "route");
  await expect(page.getByRole("heading", { level: 1, name: "Routes" })).toBeVisible();
  await page.getByRole("tab", { name: "Pools" }).click();
  await settled(page);
  await page.getByRole("row", { name }).getByRole("link", { name }).click();
  await settled(page);
  await remove(page, "pool");
  await expect(page.getByRole("heading", { level: 1, name: "Pools" })).toBeVisible();
  await expect(page.getByRole("row", { name })).toHaveCount(0);
});

test("a pool that a route names stays, and the route is named", async ({ page }) => {
  const name = unique("kept");
  await page.goto("/console/routes/pools/new");
  await settled(page);
  await names(page).fill(name);
  await page.getByRole("button", { name: "Create the pool" }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  const pool = page.url();
  await page.goto("/console/routes/new");
  await settled(page);
  await names(page).fill(`${name}-route`);
  await editor(page, "Path begins with").fill(`/${name}`);
  await editor(page, "Action").fill(JSON.stringify({ kind: "upstream", pool: name }));
  await page.getByRole("button", { name: "Create the route" }).click();
  await expect(page.getByRole("heading", { level: 1, name: `${name}-route` })).toBeVisible();
  const route = page.url();

  await page.goto(pool);
  await settled(page);
  await remove(page, "pool");
  await expect(page.getByRole("alert")).toContainText(`${name}-route.action.pool`);

  await page.goto(route);
  await settled(page);
  await remove(page, "route");
  await expect(page.getByRole("heading", { level: 1, name: "Routes" })).toBeVisible();
  await page.goto(pool);
  await settled(page);
  await remove(page, "pool");
  await expect(page.getByRole("heading", { level: 1, name: "Pools" })).toBeVisible();
});

test("the cache is purged, and says how many answers went", async ({ page }) => {
  await page.goto("/console/routes");
  await settled(page);
  await page.getByRole("button", { name: "Purge the cache" }).click();
  await expectAccessible(page);
  await page.getByRole("dialog").getByLabel("Path begins with").fill("/shop/");
  await page.getByRole("dialog").getByRole("button", { name: "Purge" }).click();

  await expect(page.getByText("Nothing like this was kept.")).toBeVisible();
});
