/** A look at a document's bytes. They are fetched, given a type of ours, and never run. */
import { Anchor, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { fetchRaw } from "../../api/raw";
import type { DocumentVersion, VaultDocument } from "../../api/types";
import { MarkedText } from "../../ui/marked-text";
import { Notice } from "../../ui/notice";
import { QueryView } from "../../ui/query-view";
import { Section } from "../../ui/section";
import { size } from "../../ui/size";
import { contentPath } from "./content";
import { previewKind, SHOWN_BYTES, TEXT_BYTES, type PreviewKind } from "./preview-kind";

const REVOKE_MS = 60_000;

/** The bytes of a version. */
export type ShownVersion = Pick<DocumentVersion, "id" | "media_type" | "size">;

interface Props {
  document: VaultDocument;
  version: ShownVersion;
}

export function Preview({ document, version }: Props) {
  const kind = previewKind(version.media_type);
  const none = (why: string) => <NoPreview document={document} version={version} why={why} />;
  if (document.deleted_at) return <Text c="dimmed">A deleted document is not shown.</Text>;
  if (version.size === 0) return <Text c="dimmed">This document is empty.</Text>;
  if (kind === "none") return none(`There is no preview of this kind of document (${version.media_type}).`);
  if (kind !== "text" && version.size > SHOWN_BYTES)
    return none(`It is too big to be shown here (${size(version.size)}).`);
  return <Bytes document={document} version={version} kind={kind} />;
}

function Bytes({ document, version, kind }: Props & { kind: PreviewKind }) {
  const bytes = useQuery({
    queryKey: ["preview", document.id, version.id],
    queryFn: ({ signal }) => load(contentPath(document.id, version.id), version, kind, signal),
    // Bytes that are looked at no longer need not stay in memory.
    gcTime: 0,
    staleTime: Infinity,
  });
  return (
    <Section title="Preview">
      <QueryView query={bytes}>
        {(shown) =>
          kind === "text" ? (
            <TextPreview text={shown} whole={version.size <= TEXT_BYTES} />
          ) : kind === "image" ? (
            <Picture source={shown} document={document} version={version} />
          ) : (
            <PdfPreview source={shown} document={document} version={version} />
          )
        }
      </QueryView>
    </Section>
  );
}

/** Text, or the address of an image or a PDF. */
async function load(
  path: string,
  { media_type, size: bytes }: ShownVersion,
  kind: PreviewKind,
  signal: AbortSignal,
): Promise<string> {
  const part = kind === "text" && bytes > TEXT_BYTES;
  const response = await fetchRaw(path, {
    signal,
    headers: part ? { Range: `bytes=0-${TEXT_BYTES - 1}` } : {},
  });
  const blob = await response.blob();
  if (kind === "text") return new TextDecoder(charsetOf(media_type)).decode(await blob.arrayBuffer());
  // A type out of our own list: whatever the bytes are, they are an image or a PDF or nothing.
  const type = kind === "pdf" ? "application/pdf" : (media_type.split(";")[0] ?? "");
  return kind === "pdf"
    ? URL.createObjectURL(new Blob([blob], { type }))
    : dataUrl(new Blob([blob], { type }));
}

function charsetOf(mediaType: string): string {
  const name = /charset=([\w-]+)/i.exec(mediaType)?.[1] ?? "utf-8";
  try {
    return new TextDecoder(name).encoding;
  } catch {
    return "utf-8";
  }
}

function dataUrl(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(reader.error ?? new Error("The image could not be read."));
    reader.readAsDataURL(blob);
  });
}

function TextPreview({ text, whole }: { text: string; whole: boolean }) {
  return (
    <>
      <MarkedText text={text} spans={[]} />
      {!whole && (
        <Text size="sm" c="dimmed">
          The first {size(TEXT_BYTES)}. Download the document to see the rest.
        </Text>
      )}
    </>
  );
}

/** The browser's own viewer; where a policy or the browser refuses it, a way to the file. */
function PdfPreview({ source, document, version }: Props & { source: string }) {
  const [refused, setRefused] = useState(false);
  useEffect(() => {
    const note = (event: SecurityPolicyViolationEvent) => {
      if (event.effectiveDirective === "frame-src" || event.effectiveDirective === "object-src")
        setRefused(true);
    };
    window.addEventListener("securitypolicyviolation", note);
    return () => {
      window.removeEventListener("securitypolicyviolation", note);
      // Not at once: the frame may be put back, and what it has loaded it keeps.
      setTimeout(() => URL.revokeObjectURL(source), REVOKE_MS);
    };
  }, [source]);
  // Phones have no viewer, and would show an empty frame.
  if (refused || !navigator.pdfViewerEnabled)
    return (
      <NoPreview document={document} version={version} why="This browser does not show PDF files here." />
    );
  return (
    <iframe
      src={`${source}#navpanes=0&view=FitH`}
      title={document.name}
      style={{ width: "100%", height: "75vh", border: 0, background: "var(--holdfast-ground)" }}
    />
  );
}

/** An image; bytes that are none, whatever their type says, are said to be none. */
function Picture({ source, document, version }: Props & { source: string }) {
  const [broken, setBroken] = useState(false);
  if (broken)
    return (
      <NoPreview document={document} version={version} why="Its bytes are not an image that can be shown." />
    );
  return (
    <img
      src={source}
      alt={document.name}
      style={{ maxWidth: "100%", height: "auto" }}
      onError={() => setBroken(true)}
    />
  );
}

function NoPreview({ document, version, why }: Props & { why: string }) {
  return (
    <Notice tone="idle">
      <Text size="md">
        {why}{" "}
        <Anchor
          href={contentPath(document.id, version.id)}
          download={document.name}
          inherit
          underline="always"
        >
          Download it
        </Anchor>{" "}
        to open it.
      </Text>
    </Notice>
  );
}
