/** Ways through the vault that several tests take. */
import { expect, expectAccessible, settled, type Page } from "./test";

/** A new searchable collection, opened. */
export async function collection(page: Page, name: string): Promise<void> {
  await page.goto("/console/vault");
  await settled(page);
  await page.getByRole("button", { name: "New collection" }).click();
  const form = page.getByRole("dialog");
  await form.getByLabel("Name").fill(name);
  await expectAccessible(page);
  await form.getByRole("button", { name: "Create" }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
}

interface Upload {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

export const textFile = (name: string, text: string): Upload => ({
  name,
  mimeType: "text/plain",
  buffer: Buffer.from(text),
});

export async function upload(page: Page, ...files: Upload[]): Promise<void> {
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Choose files" }).click();
  await (await chooser).setFiles(files);
}
