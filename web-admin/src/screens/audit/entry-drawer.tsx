import { Anchor, Code, Drawer, Stack, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import type { AuditEntry } from "../../api/types";
import { Facts } from "../../ui/facts";
import { QueryView } from "../../ui/query-view";
import { At } from "../../ui/time";
import classes from "./audit.module.css";
import { OutcomeStatus } from "./outcome-status";

interface Props {
  id: string | undefined;
  onClose: () => void;
  /** Narrows the list to one actor. */
  onActor: (id: string) => void;
}

/** One entry in full. */
export function EntryDrawer({ id, onClose, onActor }: Props) {
  return (
    <Drawer opened={id !== undefined} onClose={onClose} title="Audit entry" position="right" size="lg">
      {id !== undefined && <Entry id={id} onActor={onActor} />}
    </Drawer>
  );
}

function Entry({ id, onActor }: { id: string; onActor: (id: string) => void }) {
  const entry = useQuery({
    queryKey: ["audit", "entry", id],
    queryFn: ({ signal }) => ask(api.GET("/api/v1/audit/entries/{id}", { params: { path: { id } }, signal })),
    staleTime: Infinity,
  });
  return <QueryView query={entry}>{(data) => <Detail entry={data} onActor={onActor} />}</QueryView>;
}

function Detail({ entry, onActor }: { entry: AuditEntry; onActor: (id: string) => void }) {
  const { actor, target } = entry;
  return (
    <Stack>
      <Facts
        items={{
          Action: entry.action,
          Outcome: <OutcomeStatus outcome={entry.outcome} />,
          When: <At at={entry.occurred_at} />,
          Actor: `${actor.name} (${actor.kind})`,
          "Actor id": actor.id && (
            <Anchor
              component="button"
              type="button"
              inherit
              ta="left"
              onClick={() => actor.id && onActor(actor.id)}
            >
              {actor.id}
            </Anchor>
          ),
          Target: target && (
            <>
              {target.kind} <Code>{target.id}</Code>
            </>
          ),
          Address: entry.address,
          Request: entry.request_id && <Code>{entry.request_id}</Code>,
          Number: entry.sequence ?? "not numbered yet",
          "Leaf hash": entry.leaf_hash && <Code>{entry.leaf_hash}</Code>,
          Id: <Code>{entry.id}</Code>,
        }}
      />
      <Title order={2}>Details</Title>
      <Code block className={classes.details}>
        {JSON.stringify(entry.details, null, 2)}
      </Code>
    </Stack>
  );
}
