/** One query by three ways of searching, side by side. */
import { Button, Group, MultiSelect, Select, SimpleGrid, Tabs, Text, TextInput } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { useState, type SyntheticEvent } from "react";
import type { SearchMode } from "../../api/types";
import { usePermissions } from "../../session/permissions";
import { Page } from "../../ui/page";
import { PassageDrawer, type OpenPassage } from "../vault/passage-drawer";
import { collectionChoices } from "../vault/collections";
import { KnowledgeTabs } from "./knowledge-tabs";
import { MODE_LABEL, MODES } from "./modes";
import { NoModel } from "./no-model";
import { Results } from "./results";

const route = getRouteApi("/app/knowledge");

export function SearchScreen() {
  const { query, collection, mode } = route.useSearch();
  const [opened, setOpened] = useState<OpenPassage | null>(null);
  return (
    <Page title="Search" lead="The same question by words, by meaning, and by both together.">
      <KnowledgeTabs value="/knowledge">
        <QueryForm key={query} />
        <NoModel />
        {query ? (
          <Lab
            query={query}
            collections={collection?.split(",")}
            modes={MODES.filter((each) => !mode || each === mode)}
            onOpen={setOpened}
          />
        ) : (
          <Text c="dimmed" mt="md">
            Ask for words or in a sentence. Only documents that you may read are searched.
          </Text>
        )}
        <PassageDrawer passage={opened} onClose={() => setOpened(null)} />
      </KnowledgeTabs>
    </Page>
  );
}

function QueryForm() {
  const { query = "", collection, mode } = route.useSearch();
  const navigate = route.useNavigate();
  const can = usePermissions();
  const [text, setText] = useState(query);
  const collections = useQuery({ ...collectionChoices, enabled: can("vault.read") });
  const choices = (collections.data?.items ?? []).filter(({ searchable }) => searchable);
  const show = (patch: { query?: string; collection?: string; mode?: string }) =>
    void navigate({ search: (before) => ({ ...before, ...patch }) });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    show({ query: text.trim() || undefined });
  };
  return (
    <form onSubmit={submit} role="search">
      <Group align="flex-end" gap="sm">
        <TextInput
          label="Query"
          type="search"
          flex="1 1 260px"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <MultiSelect
          label="Collections"
          placeholder={collection ? undefined : "All"}
          flex="0 1 260px"
          data={choices.map(({ id, name }) => ({ value: id, label: name }))}
          value={collection?.split(",") ?? []}
          onChange={(next) => show({ collection: next.join(",") || undefined })}
        />
        <Select
          label="Ways"
          w={{ base: "100%", xs: 150 }}
          placeholder="All three"
          clearable
          clearButtonProps={{ "aria-label": "Clear ways" }}
          data={MODES.map((each) => ({ value: each, label: MODE_LABEL[each] }))}
          value={mode ?? null}
          onChange={(next) => show({ mode: next ?? undefined })}
        />
        <Button type="submit" leftSection={<Search size={16} aria-hidden />}>
          Search
        </Button>
      </Group>
    </form>
  );
}

interface LabProps {
  query: string;
  collections: string[] | undefined;
  modes: SearchMode[];
  onOpen: (passage: OpenPassage) => void;
}

/** Columns where there is room, tabs where there is not. */
function Lab({ modes, ...search }: LabProps) {
  const wide = useMediaQuery("(min-width: 62em)", true);
  const [first = "hybrid"] = modes;
  if (wide || modes.length === 1) {
    return (
      <SimpleGrid cols={modes.length} mt="md" spacing="md">
        {modes.map((mode) => (
          <Results key={mode} mode={mode} {...search} />
        ))}
      </SimpleGrid>
    );
  }
  return (
    <Tabs defaultValue={first} mt="md">
      <Tabs.List grow mb="sm">
        {modes.map((mode) => (
          <Tabs.Tab key={mode} value={mode}>
            {MODE_LABEL[mode]}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {modes.map((mode) => (
        <Tabs.Panel key={mode} value={mode}>
          <Results mode={mode} {...search} />
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
