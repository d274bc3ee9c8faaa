import {
  expect,
  expectAccessible,
  expectNoSidewaysScroll,
  guestTest as test,
  OPERATOR,
  operatorState,
  settled,
  setupUrl,
} from "./test";
import { picture, use, VARIANTS } from "./variants";

test("the entry screens are accessible in every variant", async ({ page }) => {
  test.setTimeout(300_000);
  for (const variant of VARIANTS) {
    await use(page, variant);
    for (const [name, url] of [
      ["setup", setupUrl()],
      ["sign-in", "/console/sign-in"],
      ["invitation", "/console/invitation#token=none"],
    ] as const) {
      await page.goto("about:blank");
      await page.goto(url);
      await settled(page);
      await expectAccessible(page);
      await expectNoSidewaysScroll(page);
      await picture(page, name, variant);
    }
  }
});

test("the printed link makes the first operator, once", async ({ page }) => {
  await page.goto(setupUrl());
  await page.getByLabel("E-mail").fill(OPERATOR.email);
  await page.getByLabel(/^Password/).fill("too short");
  await page.getByRole("button", { name: "Create the account" }).click();
  await expect(page.getByText("Use at least 15 characters.")).toBeVisible();
  expect(new URL(page.url()).hash).toBe("");

  await page.getByLabel(/^Password/).fill(OPERATOR.password);
  await page.getByRole("button", { name: "Create the account" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Home" })).toBeVisible();
  await page.context().storageState({ path: operatorState() });

  await page.goto("about:blank");
  await page.goto(setupUrl());
  await expect(page.getByText("This is done already")).toBeVisible();
});
