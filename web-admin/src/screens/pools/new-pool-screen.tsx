import { useNavigate } from "@tanstack/react-router";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import { Page } from "../../ui/page";
import { PoolForm, type PoolDraft } from "./pool-form";

export function NewPoolScreen() {
  const navigate = useNavigate();
  const create = useAction({
    run: (body: PoolDraft, headers) => ask(api.POST("/api/v1/edge/pools", { body, headers })),
    changes: [["pools"], ["routing"], ["upstreams"]],
    done: "The pool is in force.",
    onSuccess: ({ id }) => void navigate({ to: "/routes/pools/$id", params: { id } }),
  });
  return (
    <Page
      title="New pool"
      lead="Servers that answer alike, and how one of them is chosen."
      back={{ to: "/routes/pools", label: "Pools" }}
    >
      <PoolForm
        submitLabel="Create the pool"
        onSubmit={(draft) => create.mutate(draft)}
        pending={create.isPending}
        error={create.error}
      />
    </Page>
  );
}
