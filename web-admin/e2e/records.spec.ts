import { expect, expectAccessible, expectNoSidewaysScroll, settled, test, unique } from "./test";
import { use, VARIANTS } from "./variants";
import { collection } from "./vault";

const SCHEMA = {
  type: "object",
  required: ["name"],
  additionalProperties: false,
  properties: {
    name: { type: "string", title: "Name", maxLength: 20 },
    berths: { type: "integer", minimum: 1, maximum: 12 },
    rig: { enum: ["sloop", "ketch"] },
    home: { type: "object", title: "Home port", properties: { port: { type: "string", minLength: 2 } } },
  },
};

test("a schema is set, and records that fit it are created, changed and deleted", async ({ page }) => {
  await collection(page, unique("boats"));
  await page.getByRole("tab", { name: "Records" }).click();
  await expect(page.getByText("No records yet.")).toBeVisible();
  await page.getByRole("tab", { name: "About" }).click();
  await page.getByRole("button", { name: "Set a schema" }).click();
  const schema = page.getByLabel("JSON Schema");
  await schema.fill('{"$ref": "https://example.com/schema"}');
  await page.getByRole("button", { name: "Save" }).click();
  await expect(schema).toHaveAccessibleDescription(/leads to #\/\$defs/);
  await expectAccessible(page);
  await schema.fill(JSON.stringify(SCHEMA));
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("list", { name: "Fields" })).toContainText("Name text, required");

  await page.getByRole("tab", { name: "Records" }).click();
  await page.getByRole("button", { name: "New record" }).click();
  const form = page.getByRole("dialog");
  await form.getByLabel("Name").fill("Kelp");
  await form.getByLabel("berths").fill("40");
  await form.getByRole("combobox", { name: "rig" }).click();
  await page.getByRole("option", { name: "ketch" }).click();
  await form.getByLabel("port").fill("K");
  await form.getByRole("button", { name: "Create" }).click();
  await expect(form.getByLabel("berths")).toHaveAccessibleDescription(/maximum of 12/);
  await expect(form.getByLabel("berths")).toBeFocused();
  await expect(form.getByLabel("port")).toHaveAccessibleDescription(/shorter than 2/);
  await expectAccessible(page);
  await form.getByLabel("berths").fill("4");
  await form.getByLabel("port").fill("Kiel");
  await form.getByRole("button", { name: "Create" }).click();
  const row = page.getByRole("row", { name: /Kelp/ });
  await expect(row).toContainText("ketch");

  await row.getByRole("link", { name: "Kelp" }).click();
  await expect(page.getByText("Kiel")).toBeVisible();
  await page.getByRole("button", { name: "Edit" }).click();
  await form.getByLabel("Name").fill("Dulse");
  await form.getByText("JSON", { exact: true }).click();
  await expect(form.getByRole("textbox", { name: "Record" })).toHaveValue(/"name": "Dulse"/);
  await form.getByText("Fields", { exact: true }).click();
  await form.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Dulse")).toBeVisible();
  await expect(page.getByText("Kelp")).toHaveCount(0);

  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Delete the record" }).click();
  await expect(page.getByText("No records yet.")).toBeVisible();
});

test("a record that was changed meanwhile is not overwritten, and the change is made again", async ({
  page,
}) => {
  await collection(page, unique("races"));
  await page.getByRole("tab", { name: "Records" }).click();
  await page.getByRole("button", { name: "New record" }).click();
  await page.getByLabel("Record", { exact: true }).fill('{"colour": "red", "sail": 1}');
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByRole("table", { name: "Records" }).getByRole("link").first().click();
  await page.getByRole("button", { name: "Edit" }).click();
  const other = await page.context().newPage();
  await other.goto(page.url());
  await settled(other);
  await other.getByRole("button", { name: "Edit" }).click();
  await other.getByLabel("Record", { exact: true }).fill('{"colour": "red", "sail": 2}');
  await other.getByRole("button", { name: "Save" }).click();
  await expect(other.getByText("Record saved.")).toBeVisible();

  await page.getByLabel("Record", { exact: true }).fill('{"colour": "blue", "sail": 1}');
  await page.getByRole("button", { name: "Save" }).click();
  const panel = page.getByRole("alert").filter({ hasText: "Changed meanwhile" });
  await panel.getByRole("button", { name: "Reload" }).click();
  await expect(panel).toHaveCount(0);
  await page.getByRole("button", { name: "Save" }).click();

  const data = page.locator("section").filter({ has: page.getByRole("heading", { name: "Data" }) });
  await expect(data).toContainText("blue");
  await expect(data).toContainText("2");
});

for (const variant of VARIANTS) {
  test(`records are accessible and fit at ${variant.width} px, ${variant.scheme}`, async ({ page }) => {
    await collection(page, unique("sizes"));
    await use(page, variant);
    await page.getByRole("tab", { name: "Records" }).click();
    await page.getByRole("button", { name: "New record" }).click();
    await expectAccessible(page);
    await page
      .getByLabel("Record", { exact: true })
      .fill(JSON.stringify({ word: "long".repeat(40), nested: { list: [1, { two: "three" }] } }));
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByRole("table", { name: "Records" }).getByRole("link").first().waitFor();
    await expectNoSidewaysScroll(page);
    await expectAccessible(page);
    await page.getByRole("table", { name: "Records" }).getByRole("link").first().click();
    await expect(page.getByRole("heading", { name: "Data" })).toBeVisible();
    await expectNoSidewaysScroll(page);
    await expectAccessible(page);
  });
}
