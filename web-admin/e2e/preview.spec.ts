import { pdf } from "./pdf";
import { expect, expectAccessible, expectNoSidewaysScroll, test, unique, type Page } from "./test";
import { use, VARIANTS } from "./variants";
import { collection, textFile, upload } from "./vault";

/** A red picture of four by four dots. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAAEElEQVR4nGP4z8AARwzEcQCukw/x0F8jngAAAABJRU5ErkJggg==",
  "base64",
);

const pdfFile = (name: string, ...lines: string[]) => ({
  name,
  mimeType: "application/pdf",
  buffer: pdf(...lines),
});

/** Waits until the browser's viewer has read a PDF of so many pages. */
async function seePages(page: Page, pages: number): Promise<void> {
  await expect(async () => {
    const viewer = page.frames().find((frame) => frame.url().startsWith("chrome-extension://"));
    expect(await viewer?.locator("#pagelength").innerText()).toBe(String(pages));
  }).toPass();
}

test("a PDF is read and seen, a second version takes its place, and the first can still be opened", async ({
  page,
}) => {
  await collection(page, unique("tides"));
  await upload(page, pdfFile("tides.pdf", "High water at noon"));
  const row = page.getByRole("row", { name: /tides\.pdf/ });
  await expect(row).toContainText("ready");
  await row.getByRole("link", { name: "tides.pdf" }).click();
  await seePages(page, 1);
  await page.getByRole("tab", { name: "Text" }).click();
  await expect(page.getByText("High water at noon")).toBeVisible();

  await page.getByRole("tab", { name: "Versions" }).click();
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Upload a new version" }).click();
  await (await chooser).setFiles(pdfFile("new.pdf", "Low water at six", "And again at seven"));
  const versions = page.getByRole("table", { name: "Versions" });
  await expect(versions.getByRole("row")).toHaveCount(3);
  await page.getByRole("tab", { name: "Preview" }).click();
  await seePages(page, 2);

  await page.getByRole("tab", { name: "Versions" }).click();
  await versions.getByRole("link", { name: "1", exact: true }).click();
  await expect(page.getByText("This is not the newest version of the document.")).toBeVisible();
  await page.getByRole("tab", { name: "Preview" }).click();
  await seePages(page, 1);
  await page.getByRole("tab", { name: "Versions" }).click();
  await expectAccessible(page);
  await page.getByRole("link", { name: "Show the newest" }).click();
  await seePages(page, 2);
});

test("an earlier version of another kind is shown by its own kind", async ({ page }) => {
  await collection(page, unique("kinds"));
  await upload(page, textFile("log", "Wind from the west."));
  await page.getByRole("link", { name: "log", exact: true }).click();
  await page.getByRole("tab", { name: "Versions" }).click();
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Upload a new version" }).click();
  await (await chooser).setFiles({ name: "log.png", mimeType: "image/png", buffer: PNG });
  const versions = page.getByRole("table", { name: "Versions" });
  await expect(versions.getByRole("row")).toHaveCount(3);
  await page.getByRole("tab", { name: "Preview" }).click();
  await expect(page.getByRole("img", { name: "log" })).toBeVisible();

  await page.getByRole("tab", { name: "Versions" }).click();
  await versions.getByRole("link", { name: "1", exact: true }).click();
  await page.getByRole("tab", { name: "Preview" }).click();
  await expect(page.getByText("Wind from the west.")).toBeVisible();
});

test("an image is seen, bytes that are none say so, and what can't be shown is a download away", async ({
  page,
}) => {
  await collection(page, unique("pictures"));
  await upload(
    page,
    { name: "flag.png", mimeType: "image/png", buffer: PNG },
    { name: "broken.png", mimeType: "image/png", buffer: Buffer.from("no picture at all") },
    { name: "chart.bin", mimeType: "application/octet-stream", buffer: Buffer.from([0, 1, 2]) },
  );
  const open = (name: string) => page.getByRole("link", { name, exact: true }).click();
  await open("flag.png");
  const image = page.getByRole("img", { name: "flag.png" });
  await expect(image).toBeVisible();
  expect(await image.evaluate((shown: HTMLImageElement) => shown.naturalWidth)).toBe(4);
  await page.goBack();
  await open("broken.png");
  await expect(page.getByText("Its bytes are not an image that can be shown.")).toBeVisible();
  await page.goBack();
  await open("chart.bin");
  await expectAccessible(page);
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download it" }).click();
  expect((await download).suggestedFilename()).toBe("chart.bin");
});

for (const variant of VARIANTS) {
  test(`a document and its text are accessible and fit at ${variant.width} px, ${variant.scheme}`, async ({
    page,
  }) => {
    await collection(page, unique("sizes"));
    await upload(page, textFile(`${"long-".repeat(20)}name.txt`, `${"word".repeat(80)}\nShort.`));
    await use(page, variant);
    await page.getByRole("link", { name: /long-/ }).click();
    for (const tab of ["Preview", "Text", "Versions", "Grants", "About"]) {
      await page.getByRole("tab", { name: tab }).click();
      await expect(page.getByRole("status", { name: "Loading" })).toHaveCount(0);
      await expectNoSidewaysScroll(page);
      await expectAccessible(page);
    }
  });
}
