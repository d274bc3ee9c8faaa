/** Where the bytes of a document are. */
export function contentPath(document: string, version?: string): string {
  const query = version ? `?${new URLSearchParams({ version }).toString()}` : "";
  return `/api/v1/vault/documents/${encodeURIComponent(document)}/content${query}`;
}
