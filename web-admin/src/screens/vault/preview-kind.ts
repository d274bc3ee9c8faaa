/** What can be shown of a document without running anything of it. */
export type PreviewKind = "text" | "image" | "pdf" | "none";

/** Bytes that are shown of text; the rest is a download away. */
export const TEXT_BYTES = 256 * 1024;
/** Bytes of an image or a PDF that are taken into memory. */
export const SHOWN_BYTES = 64 * 1024 * 1024;

const IMAGES = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"];
const TEXTS = [
  "application/json",
  "application/xml",
  "application/yaml",
  "application/toml",
  "application/javascript",
  "application/sql",
  "application/x-sh",
];

/** HTML and SVG count as text: their source is shown, they are never rendered. */
export function previewKind(mediaType: string): PreviewKind {
  const essence = mediaType.split(";")[0]?.trim().toLowerCase() ?? "";
  if (IMAGES.includes(essence)) return "image";
  if (essence === "application/pdf") return "pdf";
  if (essence.startsWith("text/") || TEXTS.includes(essence) || /\+(json|xml|yaml)$/.test(essence))
    return "text";
  return "none";
}
