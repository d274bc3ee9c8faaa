/** What would happen to a request, without sending it. All that is asked is in the URL, to be shared. */
import { Button, Group, Select, SimpleGrid, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState, type SyntheticEvent } from "react";
import { api, ask } from "../../api/client";
import { Page } from "../../ui/page";
import { QueryView } from "../../ui/query-view";
import { Section } from "../../ui/section";
import { EdgeTabs } from "./edge-tabs";
import { questionOf, type Trial } from "./trial";
import { Verdict } from "./verdict";

const here = getRouteApi("/app/routes/try");

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

export function TrialScreen() {
  const trial = here.useSearch();
  const navigate = here.useNavigate();
  return (
    <Page title="Try a request" lead="What would happen to a request, without sending it.">
      <EdgeTabs value="/routes/try">
        <Stack>
          <TrialForm
            key={JSON.stringify(trial)}
            trial={trial}
            onAsk={(next) => void navigate({ search: next })}
          />
          <Answer trial={trial} />
        </Stack>
      </EdgeTabs>
    </Page>
  );
}

function TrialForm({ trial, onAsk }: { trial: Trial; onAsk: (trial: Trial) => void }) {
  const [draft, setDraft] = useState({
    method: trial.method ?? "GET",
    host: trial.host ?? window.location.hostname,
    target: trial.target ?? "/",
    headers: trial.headers ?? "",
    client: trial.client ?? "",
  });
  const [wrong, setWrong] = useState<{ host?: string; target?: string }>({});
  const put = (change: Partial<typeof draft>) => setDraft((before) => ({ ...before, ...change }));
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const { method, headers } = draft;
    const [host, target, client] = [draft.host, draft.target, draft.client].map((each) => each.trim());
    const complaints = {
      ...(!host && { host: "Name a host." }),
      ...(!target?.startsWith("/") && { target: "A path begins with a slash." }),
    };
    setWrong(complaints);
    if (Object.keys(complaints).length > 0) return;
    onAsk({ method, host, target, headers: headers.trim() || undefined, client: client || undefined });
  };
  return (
    <Section title="The request">
      <form onSubmit={submit} noValidate>
        <Stack gap="sm">
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <Select
              label="Method"
              data={METHODS.includes(draft.method) ? METHODS : [...METHODS, draft.method]}
              allowDeselect={false}
              value={draft.method}
              onChange={(method) => put({ method: method ?? "GET" })}
            />
            <TextInput
              label="Host"
              description="Without a port"
              required
              error={wrong.host}
              value={draft.host}
              onChange={(event) => put({ host: event.currentTarget.value })}
            />
            <TextInput
              label="Path"
              description="With the query if there is one, such as /shop/cart?item=7"
              required
              error={wrong.target}
              value={draft.target}
              onChange={(event) => put({ target: event.currentTarget.value })}
            />
            <TextInput
              label="Client address"
              description="Empty for 127.0.0.1"
              value={draft.client}
              onChange={(event) => put({ client: event.currentTarget.value })}
            />
          </SimpleGrid>
          <Textarea
            label="Headers"
            description="A line each, such as Accept: text/html"
            autosize
            minRows={2}
            maxRows={10}
            spellCheck={false}
            styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
            value={draft.headers}
            onChange={(event) => put({ headers: event.currentTarget.value })}
          />
          <Group justify="flex-end">
            <Button type="submit">What would happen?</Button>
          </Group>
        </Stack>
      </form>
    </Section>
  );
}

function Answer({ trial }: { trial: Trial }) {
  const question = questionOf(trial);
  const verdict = useQuery({
    queryKey: ["routing", "explain", question],
    queryFn: ({ signal }) =>
      ask(api.POST("/api/v1/edge/routing/explain", { body: question ?? NOTHING, signal })),
    enabled: question !== null,
    // Routes change; an answer of before is none.
    staleTime: 0,
  });
  if (question === null) return <Text c="dimmed">Name a host and a path, and ask.</Text>;
  return <QueryView query={verdict}>{(data) => <Verdict verdict={data} />}</QueryView>;
}

const NOTHING = { host: "", target: "" };
