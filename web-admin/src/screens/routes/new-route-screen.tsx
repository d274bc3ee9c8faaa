import { useNavigate } from "@tanstack/react-router";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import { Page } from "../../ui/page";
import { RouteForm } from "./route-form";
import type { RouteDraft } from "./route-values";

export function NewRouteScreen() {
  const navigate = useNavigate();
  const create = useAction({
    run: (body: RouteDraft, headers) => ask(api.POST("/api/v1/edge/routes", { body, headers })),
    changes: [["routes"], ["routing"]],
    done: "The route is in force.",
    onSuccess: ({ id }) => void navigate({ to: "/routes/$id", params: { id } }),
  });
  return (
    <Page
      title="New route"
      lead="Checked together with all others; it is in force as soon as it is created."
      back={{ to: "/routes", label: "Routes" }}
    >
      <RouteForm
        submitLabel="Create the route"
        onSubmit={(draft) => create.mutate(draft)}
        pending={create.isPending}
        error={create.error}
      />
    </Page>
  );
}
