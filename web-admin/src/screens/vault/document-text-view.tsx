/** The text that search and chat see, with a passage marked where one was asked for. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { MarkedText } from "../../ui/marked-text";
import { QueryView } from "../../ui/query-view";
import { Section } from "../../ui/section";
import { size } from "../../ui/size";
import { passageQuery, portionsQuery } from "./document-text";

interface Props {
  document: string;
  version: string | undefined;
  passage: { from: number; to: number } | null;
}

export function DocumentTextView({ document, version, passage }: Props) {
  return passage ? (
    <PassageInText document={document} version={version} {...passage} />
  ) : (
    <WholeText document={document} version={version} />
  );
}

const route = getRouteApi("/app/vault/documents/$id");

function PassageInText(place: { document: string; version?: string; from: number; to: number }) {
  const passage = useQuery(passageQuery(place));
  const navigate = route.useNavigate();
  const showAll = () =>
    void navigate({ search: (before) => ({ version: before.version, tab: "text" }), replace: true });
  return (
    <Section
      title="Passage"
      lead="Marked, with what stands around it."
      actions={
        <Button variant="default" size="xs" onClick={showAll}>
          Show the whole text
        </Button>
      }
    >
      <QueryView query={passage}>
        {({ text, mark, start, end, total }) => (
          <Stack gap="xs">
            {start > 0 && <Cut />}
            <MarkedText text={text} spans={[mark]} />
            {end < total && <Cut />}
          </Stack>
        )}
      </QueryView>
    </Section>
  );
}

function WholeText({ document, version }: { document: string; version: string | undefined }) {
  const portions = useInfiniteQuery(portionsQuery(document, version));
  return (
    <Section title="Text" lead="As it was taken out of the document for search and chat.">
      <QueryView query={portions}>
        {({ pages }) => (
          <Stack gap="xs">
            <MarkedText text={pages.map(({ text }) => text).join("")} spans={[]} />
            {portions.hasNextPage && (
              <Group>
                <Button
                  variant="default"
                  size="xs"
                  loading={portions.isFetchingNextPage}
                  onClick={() => void portions.fetchNextPage()}
                >
                  Show more
                </Button>
                <Text size="sm" c="dimmed">
                  {size(pages.at(-1)?.end ?? 0)} of {size(pages.at(-1)?.total ?? 0)}
                </Text>
              </Group>
            )}
          </Stack>
        )}
      </QueryView>
    </Section>
  );
}

function Cut() {
  return (
    <Text c="dimmed" aria-hidden>
      …
    </Text>
  );
}
