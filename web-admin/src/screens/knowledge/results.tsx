import { Paper, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import type { SearchMode, SearchResult } from "../../api/types";
import { QueryView } from "../../ui/query-view";
import { ScreenLink } from "../../ui/screen-link";
import { Status } from "../../ui/status";
import type { OpenPassage } from "../vault/passage-drawer";
import { Hit } from "./hit";
import { MODE_LABEL, RUNG_LABEL } from "./modes";

interface Props {
  mode: SearchMode;
  query: string;
  collections: string[] | undefined;
  onOpen: (passage: OpenPassage) => void;
}

const LIMIT = 10;

/** What one way of searching found. */
export function Results({ mode, query, collections, onOpen }: Props) {
  const found = useQuery({
    queryKey: ["search", mode, query, collections],
    queryFn: ({ signal }) =>
      ask(
        api.POST("/api/v1/knowledge/search", {
          body: { query, mode, collections, limit: LIMIT },
          signal,
        }),
      ),
  });
  return (
    <Paper withBorder p="md" component="section" aria-label={`${MODE_LABEL[mode]} results`} miw={0}>
      <Stack gap="sm">
        <Title order={2}>{MODE_LABEL[mode]}</Title>
        <QueryView query={found}>
          {({ items, rung }) => (
            <>
              <RungNote rung={rung} mode={mode} />
              {items.length === 0 && <NothingFound />}
              {items.map((hit) => (
                <Hit key={hit.passage} hit={hit} onOpen={onOpen} />
              ))}
            </>
          )}
        </QueryView>
      </Stack>
    </Paper>
  );
}

/** Which way answered, why not the one that was asked for, and how much of the passages it looks through. */
function RungNote({ rung, mode }: { rung: SearchResult["rung"]; mode: SearchMode }) {
  const asked = rung.name === mode;
  const all = rung.coverage >= 1;
  return (
    <div>
      <Text size="sm" component="div">
        <Status tone={asked && all ? "ok" : "warn"}>{`Rung: ${rung.name}`}</Status>
      </Text>
      {rung.name !== "nothing" && (
        <Text size="sm" c="dimmed">
          Searched by {RUNG_LABEL[rung.name]} through {all ? "all" : `${percent(rung.coverage)} %`} of the
          passages{!all && "; the others are still being indexed"}.
        </Text>
      )}
      {rung.reason && (
        <Text size="sm">
          {!asked && rung.name !== "nothing" && `Not by ${RUNG_LABEL[mode]}: `}
          {sentence(rung.reason)}
        </Text>
      )}
    </div>
  );
}

function NothingFound() {
  return (
    <Text c="dimmed">
      Nothing was found. Try fewer or other words, or look at{" "}
      <ScreenLink to="/knowledge/reading" inherit underline="always">
        what is still being read
      </ScreenLink>
      .
    </Text>
  );
}

/** A share below one is never said to be the whole. */
function percent(share: number): number {
  return Math.min(99.9, Math.round(share * 1000) / 10);
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? "" : "."}`;
}
