import { Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useAction } from "../../api/action";
import { api, ask, ifMatch } from "../../api/client";
import { mergePatch, type JsonObject } from "../../api/json";
import type { Pool } from "../../api/types";
import { usePermissions } from "../../session/permissions";
import { DeleteEntry } from "../../ui/delete-entry";
import { Page } from "../../ui/page";
import { QueryView } from "../../ui/query-view";
import { Section } from "../../ui/section";
import { draftOf, PoolForm, type PoolDraft } from "./pool-form";
import { Targets } from "./target-state";
import { upstreamsQuery } from "./upstreams";

const here = getRouteApi("/app/routes/pools/$id");

export function PoolScreen() {
  const { id } = here.useParams();
  const can = usePermissions();
  const pool = useQuery({
    queryKey: ["pool", id],
    queryFn: ({ signal }) => ask(api.GET("/api/v1/edge/pools/{id}", { params: { path: { id } }, signal })),
  });
  const reload = () => void pool.refetch();
  const writable = can("edge.routes.write");
  return (
    <Page
      title={pool.data?.name ?? "Pool"}
      back={{ to: "/routes/pools", label: "Pools" }}
      actions={pool.data && writable && <DeletePool pool={pool.data} onReload={reload} />}
    >
      <QueryView query={pool}>
        {(data) => (
          <>
            <Standing name={data.name} />
            <EditPool key={data.version} pool={data} readOnly={!writable} onReload={reload} />
          </>
        )}
      </QueryView>
    </Page>
  );
}

function Standing({ name }: { name: string }) {
  const upstreams = useQuery(upstreamsQuery);
  return (
    <Section title="How it stands" lead="As the server that answers you sees it.">
      <QueryView query={upstreams}>
        {({ pools }) => {
          const status = pools.find((each) => each.name === name);
          return status ? <Targets pool={status} /> : <Text c="dimmed">It is not in force here.</Text>;
        }}
      </QueryView>
    </Section>
  );
}

function EditPool({ pool, readOnly, onReload }: { pool: Pool; readOnly: boolean; onReload: () => void }) {
  const save = useAction({
    run: (body: JsonObject, headers) =>
      ask(
        api.PATCH("/api/v1/edge/pools/{id}", {
          params: { path: { id: pool.id } },
          body,
          headers: { ...headers, ...ifMatch(pool) },
        }),
      ),
    changes: [["pools"], ["pool", pool.id], ["routing"], ["upstreams"]],
    done: "The change is in force.",
  });
  const submit = (draft: PoolDraft) => {
    const patch = mergePatch(draftOf(pool), draft);
    if (patch) save.mutate(patch);
    else notifications.show({ message: "There is nothing to save." });
  };
  return (
    <PoolForm
      pool={pool}
      submitLabel="Save"
      onSubmit={submit}
      pending={save.isPending}
      error={save.error}
      onReload={onReload}
      readOnly={readOnly}
    />
  );
}

function DeletePool({ pool, onReload }: { pool: Pool; onReload: () => void }) {
  return (
    <DeleteEntry
      title={`Delete the pool ${pool.name}?`}
      confirmLabel="Delete the pool"
      run={(headers) =>
        ask(
          api.DELETE("/api/v1/edge/pools/{id}", {
            params: { path: { id: pool.id } },
            headers: { ...headers, ...ifMatch(pool) },
          }),
        )
      }
      changes={[["pools"], ["routing"], ["upstreams"]]}
      done="Pool deleted."
      leadsTo="/routes/pools"
      onReload={onReload}
    >
      A pool that a route still names is not deleted. Requests under way are finished.
    </DeleteEntry>
  );
}
