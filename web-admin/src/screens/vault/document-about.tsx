import { Anchor, Code } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { VaultDocument } from "../../api/types";
import { Facts } from "../../ui/facts";
import { Id } from "../../ui/id";
import { Section } from "../../ui/section";
import { size } from "../../ui/size";
import { Ago } from "../../ui/time";
import { IngestStatus } from "../knowledge/ingest-status";
import { useReadingOf } from "../knowledge/use-reading";
import { Person } from "./people";

export function DocumentAbout({ document }: { document: VaultDocument }) {
  const reading = useReadingOf(document.id, document.searchable);
  return (
    <Section title="About">
      <Facts
        items={{
          Id: <Id id={document.id} />,
          Collection: (
            <Anchor component={Link} to={`/vault/collections/${document.collection_id}`} inherit>
              <Id id={document.collection_id} />
            </Anchor>
          ),
          Owner: <Person id={document.owner_id} />,
          "Media type": document.media_type,
          Size: size(document.size),
          "SHA-256": <Code>{document.sha256}</Code>,
          Version: document.version_number,
          Search: reading.data ? (
            <IngestStatus document={reading.data} long />
          ) : (
            !document.searchable && "not searchable"
          ),
          Passages: reading.data?.state === "ready" ? reading.data.passages_total : null,
          "Embedding model": reading.data?.model,
          Created: <Ago at={document.created_at} />,
          Changed: <Ago at={document.updated_at} />,
        }}
      />
    </Section>
  );
}
