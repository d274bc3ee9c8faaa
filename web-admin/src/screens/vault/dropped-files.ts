/** The files of a drop, those in dropped folders among them. */

/** Call it in the event's own turn: afterwards the browser forgets what was dropped. */
export function filesOf({ items, files }: DataTransfer): Promise<File[]> {
  const dropped = Array.from(items).filter(({ kind }) => kind === "file");
  // A browser that lists no items has the files alone.
  if (dropped.length === 0) return Promise.resolve(Array.from(files));
  const parts = dropped.map((item): Promise<File[]> => {
    const entry = item.webkitGetAsEntry();
    const file = item.getAsFile();
    if (entry?.isDirectory) return within(entry as FileSystemDirectoryEntry);
    return Promise.resolve(file ? [file] : []);
  });
  return Promise.all(parts).then((all) => all.flat());
}

async function within(folder: FileSystemDirectoryEntry): Promise<File[]> {
  const entries = await entriesOf(folder.createReader());
  const files: File[] = [];
  // One after the other: a deep tree opens few files at once.
  for (const entry of entries)
    files.push(
      ...(entry.isDirectory
        ? await within(entry as FileSystemDirectoryEntry)
        : [
            await new Promise<File>((resolve, reject) =>
              (entry as FileSystemFileEntry).file(resolve, reject),
            ),
          ]),
    );
  return files;
}

/** A reader gives its entries in portions, and none when all were given. */
async function entriesOf(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  const portion = await new Promise<FileSystemEntry[]>((resolve, reject) =>
    reader.readEntries(resolve, reject),
  );
  return portion.length > 0 ? [...portion, ...(await entriesOf(reader))] : [];
}
