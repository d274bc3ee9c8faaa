import { expect, expectAccessible, expectNoSidewaysScroll, test, unique } from "./test";
import { MOST_BYTES } from "./server";
import { collection, textFile, upload } from "./vault";

const TEXT = [
  "Grüße aus dem Hafen — ropes 🪢 and knots.",
  "",
  "The bowline makes a fixed loop at the end of a rope, and comes undone easily after a load.",
  "",
  "A kelp anchor holds a small boat in weeds where a plough anchor slides.",
].join("\n");

test("a text is uploaded, read, found, asked about, and its citation opens the passage", async ({ page }) => {
  const name = unique("harbour");
  await collection(page, name);
  await upload(page, textFile("knots.txt", TEXT), textFile("empty words.md", "# Nothing\n\nOf importance."));
  const documents = page.getByRole("table", { name: "Documents" });
  const row = documents.getByRole("row", { name: /knots\.txt/ });
  await expect(row).toContainText("ready");
  await expect(page.getByRole("status").filter({ hasText: "2 of 2 uploaded" })).toBeVisible();
  await expectAccessible(page);

  await row.getByRole("link", { name: "knots.txt" }).click();
  await expect(page.getByText("The bowline makes a fixed loop")).toBeVisible();

  await page.goto("/console/knowledge");
  await page.getByLabel("Query").fill("which knot makes a fixed loop");
  await page.keyboard.press("Enter");
  const found = page.getByRole("region", { name: "Hybrid results" });
  await expect(found).toContainText(/Rung: \w+/);
  await expect(found.locator("mark").filter({ hasText: "loop" }).first()).toHaveText("loop");
  await expectAccessible(page);
  await found.getByRole("button", { name: "knots.txt" }).first().click();
  const passage = page.getByRole("dialog", { name: "knots.txt" });
  await expect(passage.locator("mark").first()).toContainText("The bowline makes a fixed loop");
  await expectAccessible(page);
  await passage.getByRole("link", { name: "Open the document" }).click();
  await expect(page.getByRole("tab", { name: "Text" })).toHaveAttribute("aria-selected", "true");
  await expect(page.locator("mark").first()).toContainText("The bowline");

  await page.goto("/console/chat");
  await page.getByRole("button", { name: "New conversation" }).click();
  await page.getByLabel("Your question").fill("Which knot makes a fixed loop?");
  await page.keyboard.press("Enter");
  const answer = page.getByRole("article", { name: "Answer", exact: true });
  await expect(answer).toContainText("no model answered");
  await expect(page.getByRole("heading", { level: 1, name: "Which knot makes a fixed loop?" })).toBeVisible();
  await expectAccessible(page);
  await answer
    .getByRole("button", { name: /^Citation 1: / })
    .first()
    .click();
  await expect(page.getByRole("dialog").locator("mark").first()).toContainText("bowline");
  await page.keyboard.press("Escape");

  await page.reload();
  await expect(answer).toContainText("no model answered");
});

test("a question asked in other words is a branch, and both branches stay", async ({ page }) => {
  await page.goto("/console/chat");
  await page.getByRole("button", { name: "New conversation" }).click();
  await page.getByLabel("Your question").fill("What is zyzzyva?");
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  const answer = page.getByRole("article", { name: "Answer", exact: true });
  await expect(answer).toBeVisible();

  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByLabel("The question in other words").fill("What is a zyzzyva then?");
  await page.getByRole("button", { name: "Ask in a new branch" }).click();
  const question = page.getByRole("article", { name: "Question" });
  await expect(question).toContainText("2 of 2");
  await expect(question).toContainText("zyzzyva then");

  await page.getByRole("button", { name: "Earlier branch" }).first().click();
  await expect(question).toContainText("1 of 2");
  await expect(question).toContainText("What is zyzzyva?");
  await expect(answer).toBeVisible();
  await expectAccessible(page);
});

test("a document is renamed, gets a new version, goes to the trash and comes back", async ({ page }) => {
  await collection(page, unique("drawer"));
  await upload(page, textFile("draft.txt", "First words."));
  await page.getByRole("link", { name: "draft.txt" }).click();
  await expect(page.getByText("First words.")).toBeVisible();

  await page.getByRole("button", { name: "Change" }).click();
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("final.txt");
  await page.getByRole("dialog").getByRole("button", { name: "Rename" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "final.txt" })).toBeVisible();

  await page.getByRole("tab", { name: "Versions" }).click();
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Upload a new version" }).click();
  await (await chooser).setFiles(textFile("other.txt", "Second words."));
  await expect(page.getByRole("table", { name: "Versions" }).getByRole("row")).toHaveCount(3);
  await page.getByRole("tab", { name: "Preview" }).click();
  await expect(page.getByText("Second words.")).toBeVisible();

  await page.getByRole("button", { name: "Change" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete the document" }).click();
  await page.getByRole("tab", { name: "Trash" }).click();
  await page.getByRole("button", { name: "Restore final.txt" }).click();
  await expect(page.getByText("The trash is empty.")).toBeVisible();
  await page.getByRole("tab", { name: "Documents" }).click();
  await expect(page.getByRole("link", { name: "final.txt" })).toBeVisible();
});

test("many files are dropped; each tells how far it is, and one that is refused why", async ({ page }) => {
  await collection(page, unique("dropped"));
  const files = await page.evaluateHandle((largest) => {
    const transfer = new DataTransfer();
    const add = (name: string, part: string) =>
      transfer.items.add(new File([part], name, { type: "text/plain" }));
    for (let number = 1; number <= 12; number++) add(`note ${number}.txt`, `Words of note ${number}.`);
    add("turned \u202etxt.exe", "What looks like another name.");
    add("too large.txt", "x".repeat(largest + 1));
    return transfer;
  }, MOST_BYTES);
  const zone = page.getByRole("group", { name: "Upload" });
  await zone.dispatchEvent("dragover", { dataTransfer: files });
  await zone.dispatchEvent("drop", { dataTransfer: files });

  const uploads = page.getByRole("region", { name: "Files" }).getByRole("listitem");
  await expect(page.getByRole("status").filter({ hasText: "12 of 14 uploaded, 2 failed" })).toBeVisible();
  await expect(uploads.filter({ hasText: "note 7.txt" })).toContainText("done");
  await expect(uploads.filter({ hasText: "turned" })).toContainText("takes 1 to 255 characters");
  await expect(uploads.filter({ hasText: "too large.txt" })).toContainText("A document has at most");
  await expect(page.getByRole("table", { name: "Documents" }).getByRole("row")).toHaveCount(13);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Try too large.txt again" }).click();
  await expect(uploads.filter({ hasText: "too large.txt" })).toContainText("A document has at most");
  await page.getByRole("button", { name: "Clear the ended ones" }).click();
  await expect(page.getByRole("region", { name: "Files" })).toHaveCount(0);
});

test("a file that can't be read is kept, and says why it is not found", async ({ page }) => {
  await collection(page, unique("broken"));
  await upload(page, { name: "torn.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.4 torn") });
  const row = page.getByRole("row", { name: /torn\.pdf/ });
  await expect(row).toContainText(/failed.+/s);

  await page.goto("/console/knowledge/reading?state=failed");
  const failed = page.getByRole("row", { name: /torn\.pdf/ });
  await failed.getByRole("button", { name: "Read torn.pdf again" }).click();
  await expect(page.getByText("It is being read again.")).toBeVisible();
  await expect(failed).toContainText("failed");
  await expectAccessible(page);
});

test("access is granted and taken away", async ({ page }) => {
  await collection(page, unique("shared"));
  await page.getByRole("tab", { name: "Grants" }).click();
  await page.getByRole("button", { name: "Grant access" }).click();
  const form = page.getByRole("dialog");
  await form.getByRole("combobox", { name: "Member" }).fill("operator@");
  await page.getByRole("option", { name: /operator@example\.com/ }).click();
  await form.getByLabel("From").fill("2998-01-01T00:00");
  await expectAccessible(page);
  await form.getByRole("button", { name: "Grant", exact: true }).click();
  await expect(page.getByRole("row", { name: /not valid yet/ })).toContainText("you");

  await page.getByRole("button", { name: "Grant access" }).click();
  await form.getByLabel("Everyone in the tenant").check();
  await form.getByLabel("Until").fill("2999-01-01T00:00");
  await form.getByRole("button", { name: "Grant", exact: true }).click();
  const row = page.getByRole("row", { name: /Everyone in the tenant/ });
  await expect(row).toContainText("in force");
  await page
    .getByRole("row", { name: /not valid yet/ })
    .getByRole("button", { name: "Take away" })
    .click();
  await page.getByRole("dialog").getByRole("button", { name: "Take away" }).click();
  await expect(page.getByRole("row", { name: /not valid yet/ })).toHaveCount(0);

  await page.getByRole("tab", { name: "Documents" }).click();
  await upload(page, textFile("seen by all.txt", "Words."));
  await page.getByRole("link", { name: "seen by all.txt" }).click();
  await page.getByRole("tab", { name: "Grants" }).click();
  await expect(row).toContainText("its whole collection");

  await row.getByRole("button", { name: "Take away" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Take away" }).click();
  await expect(page.getByText("Nobody else was given access.")).toBeVisible();
});

test("a provider is added, tested, and deleted", async ({ page }) => {
  const name = unique("model");
  await page.goto("/console/chat/providers");
  await page.getByRole("button", { name: "Add a provider" }).click();
  const form = page.getByRole("dialog");
  await form.getByLabel("Name").fill(name);
  await form.getByLabel("Address").fill("https://nowhere.invalid/v1");
  await form.getByRole("textbox", { name: "API key" }).fill("sk-secret");
  await form
    .getByRole("combobox", { name: "Models" })
    .or(form.getByRole("textbox", { name: "Models" }))
    .fill("small");
  await page.keyboard.press("Enter");
  await expectAccessible(page);
  await form.getByRole("button", { name: "Add" }).click();
  const row = page.getByRole("row", { name: new RegExp(name) });
  await expect(row).toContainText("enabled");
  expect(await page.content()).not.toContain("sk-secret");

  await row.getByRole("button", { name: `Test ${name}` }).click();
  await expect(page.getByRole("dialog")).toContainText("It did not answer");
  await expect(page.getByRole("dialog")).toContainText("Look at the address");
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  const asked = row.getByRole("switch", { name: `Ask ${name}` });
  // The picture of the switch lies over it; a click there still has to turn it.
  await asked.click({ force: true });
  await expect(row).toContainText("disabled");
  await expect(asked).toHaveAttribute("aria-busy", "false");
  await asked.press("Space");
  await expect(row).toContainText("enabled");
  await expect(asked).toHaveAttribute("aria-busy", "false");
  await expect(asked).toBeFocused();
  await asked.click({ force: true });
  await expect(row).toContainText("disabled");
  await expect(asked).toHaveAttribute("aria-busy", "false");
  await page.reload();
  await expect(row).toContainText("disabled");
  await row.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(row).toHaveCount(0);
});

test("on a phone the three ways of searching are tabs", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto("/console/knowledge?query=anchor");
  await page.getByRole("tab", { name: "Text" }).click();
  await expect(page.getByRole("region", { name: "Text results" })).toBeVisible();
  await expectNoSidewaysScroll(page);
  await expectAccessible(page);
});
