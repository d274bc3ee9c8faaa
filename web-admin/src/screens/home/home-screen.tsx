import { Anchor, Grid, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, ask } from "../../api/client";
import type { Overview } from "../../api/types";
import { nameOf, useMe } from "../../session/me";
import { usePermissions } from "../../session/permissions";
import { Facts } from "../../ui/facts";
import { Page } from "../../ui/page";
import { QueryView } from "../../ui/query-view";
import { Section } from "../../ui/section";
import { duration } from "../../ui/time";
import { Parts } from "./parts";
import { Queues } from "../../ui/queues";
import { Traffic } from "./traffic";

/** How the house does, as of five seconds ago. */
export function HomeScreen() {
  const me = useMe();
  const can = usePermissions();
  return (
    <Page title="Home" lead={`Signed in to ${me.tenant.name} as ${nameOf(me)}`}>
      {can("system.read") ? <Live /> : <Welcome />}
    </Page>
  );
}

function Live() {
  const overview = useQuery({
    queryKey: ["overview"],
    queryFn: ({ signal }) => ask(api.GET("/api/v1/system/overview", { signal })),
    refetchInterval: 5_000,
  });
  return (
    <QueryView query={overview}>
      {(data) => (
        <Stack>
          <Parts parts={data.parts} />
          <Traffic requests={data.requests} />
          <Grid>
            <Grid.Col span={{ base: 12, xl: 8 }}>
              <Queues queues={data.queues} />
            </Grid.Col>
            <Grid.Col span={{ base: 12, xl: 4 }}>
              <Process overview={data} />
            </Grid.Col>
          </Grid>
        </Stack>
      )}
    </QueryView>
  );
}

function Process({ overview }: { overview: Overview }) {
  const { busy, capacity, waiting } = overview.hash_pool;
  return (
    <Section title="Process">
      <Facts
        items={{
          Version: overview.version,
          Engine: overview.engine,
          "Up for": duration(overview.uptime_seconds),
          "Password hashing": `${busy} of ${capacity} busy, ${waiting} waiting`,
        }}
      />
    </Section>
  );
}

function Welcome() {
  return (
    <Section title="Where to start" lead="What you may open is in the navigation.">
      <Anchor component={Link} to="/account">
        Your account
      </Anchor>
      <Anchor component={Link} to="/api-keys">
        API keys for your programs
      </Anchor>
      <Anchor component={Link} to="/api">
        The API: reference, explorer and samples
      </Anchor>
    </Section>
  );
}
