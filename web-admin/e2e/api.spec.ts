import { expect, expectAccessible, OPERATOR, test } from "./test";
import { use, VARIANTS } from "./variants";

/** What the two libraries' own markup breaks; all else of the check holds on their pages too. */
const PAGES = {
  "/docs": ["heading-order", "nested-interactive", "region", "select-name"],
  "/graphiql": ["nested-interactive", "scrollable-region-focusable"],
};

for (const [path, exceptRules] of Object.entries(PAGES)) {
  test(`${path} is accessible but for its library's own markup`, async ({ page }) => {
    test.setTimeout(180_000);
    for (const variant of VARIANTS.slice(1, 3)) {
      await use(page, variant);
      await page.goto(path);
      await expect(page.getByRole("status").filter({ hasText: OPERATOR.email })).toBeVisible();
      await expect(
        page.locator("#root .opblock, #root .graphiql-query-editor textarea").first(),
      ).toBeAttached();

      await expectAccessible(page, ...exceptRules);
    }
  });
}

test("the reference opens signed in and tries an operation out", async ({ page }) => {
  await page.goto("/docs");
  await expect(page.getByRole("status").filter({ hasText: OPERATOR.email })).toBeVisible();
  const operation = page.locator("#operations-identity-get_me, [id$='-get_me']").first();
  await operation.locator("button.opblock-summary-control").click();
  await operation.getByRole("button", { name: /try it out/i }).click();
  await operation.getByRole("button", { name: "Execute" }).click();

  await expect(operation.locator(".live-responses-table")).toContainText(OPERATOR.email);
});

test("the GraphQL explorer opens signed in and runs a query", async ({ page }) => {
  await page.goto("/graphiql");
  await expect(page.getByRole("status").filter({ hasText: OPERATOR.email })).toBeVisible();
  await page.getByRole("button", { name: /execute query/i }).click();

  await expect(page.locator(".result-window")).toContainText("permissions");
  await expect(page.locator(".result-window")).not.toContainText("errors");
});

test("the API page leads to both and offers samples for this host", async ({ page }) => {
  await page.goto("/console/api");

  await expect(page.getByRole("link", { name: /Open \/docs/ })).toHaveAttribute("href", "/docs");
  await expect(page.getByRole("link", { name: /Open \/graphiql/ })).toHaveAttribute("href", "/graphiql");
  await expect(page.getByText(new URL(page.url()).origin).first()).toBeVisible();
});
