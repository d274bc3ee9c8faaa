import { Button, Code } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useAction } from "../../api/action";
import { api, ask, ifMatch } from "../../api/client";
import { mergePatch, type JsonObject } from "../../api/json";
import type { Route } from "../../api/types";
import { usePermissions } from "../../session/permissions";
import { DeleteEntry } from "../../ui/delete-entry";
import { Facts } from "../../ui/facts";
import { Page } from "../../ui/page";
import { QueryView } from "../../ui/query-view";
import { Section } from "../../ui/section";
import { At } from "../../ui/time";
import { RouteForm } from "./route-form";
import { draftOf, type RouteDraft } from "./route-values";
import { exampleOf } from "./trial";
import { actionInWords, modifiersInWords, requestsInWords } from "./words";

const here = getRouteApi("/app/routes/$id");

export function RouteScreen() {
  const { id } = here.useParams();
  const can = usePermissions();
  const route = useQuery({
    queryKey: ["route", id],
    queryFn: ({ signal }) => ask(api.GET("/api/v1/edge/routes/{id}", { params: { path: { id } }, signal })),
  });
  const reload = () => void route.refetch();
  const writable = can("edge.routes.write");
  return (
    <Page
      title={route.data?.name ?? "Route"}
      back={{ to: "/routes", label: "Routes" }}
      actions={
        route.data && (
          <>
            <Button
              variant="default"
              renderRoot={(props) => (
                <Link {...props} to="/routes/try" search={exampleOf(route.data.match)} />
              )}
            >
              Try a request
            </Button>
            {writable && <DeleteRoute route={route.data} onReload={reload} />}
          </>
        )
      }
    >
      <QueryView query={route}>
        {(data) => (
          <>
            <RouteFacts route={data} />
            <EditRoute key={data.version} route={data} readOnly={!writable} onReload={reload} />
          </>
        )}
      </QueryView>
    </Page>
  );
}

function RouteFacts({ route }: { route: Route }) {
  return (
    <Section title="In words">
      <Facts
        items={{
          Requests: requestsInWords(route.match),
          "What is done": actionInWords(route.action),
          How: modifiersInWords(route.modifiers),
          Changed: <At at={route.updated_at} />,
          Id: <Code>{route.id}</Code>,
        }}
      />
    </Section>
  );
}

function EditRoute(props: { route: Route; readOnly: boolean; onReload: () => void }) {
  const { route, readOnly, onReload } = props;
  const save = useAction({
    run: (body: JsonObject, headers) =>
      ask(
        api.PATCH("/api/v1/edge/routes/{id}", {
          params: { path: { id: route.id } },
          body,
          headers: { ...headers, ...ifMatch(route) },
        }),
      ),
    changes: [["routes"], ["route", route.id], ["routing"]],
    done: "The change is in force.",
  });
  const submit = (draft: RouteDraft) => {
    const patch = mergePatch(draftOf(route), draft);
    if (patch) save.mutate(patch);
    else notifications.show({ message: "There is nothing to save." });
  };
  return (
    <RouteForm
      route={route}
      submitLabel="Save"
      onSubmit={submit}
      pending={save.isPending}
      error={save.error}
      onReload={onReload}
      readOnly={readOnly}
    />
  );
}

function DeleteRoute({ route, onReload }: { route: Route; onReload: () => void }) {
  return (
    <DeleteEntry
      title={`Delete the route ${route.name}?`}
      confirmLabel="Delete the route"
      run={(headers) =>
        ask(
          api.DELETE("/api/v1/edge/routes/{id}", {
            params: { path: { id: route.id } },
            headers: { ...headers, ...ifMatch(route) },
          }),
        )
      }
      changes={[["routes"], ["routing"]]}
      done="Route deleted."
      leadsTo="/routes"
      onReload={onReload}
    >
      Its requests go to the next route that takes them, or to Holdfast itself. Those that have begun are
      finished.
    </DeleteEntry>
  );
}
