import { Button, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { useAction } from "../../api/action";
import { api, ask, ifMatch } from "../../api/client";
import { isObject, type JsonObject } from "../../api/json";
import type { Collection, VaultRecord } from "../../api/types";
import { usePermissions } from "../../session/permissions";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import { Facts } from "../../ui/facts";
import { Id } from "../../ui/id";
import { Page } from "../../ui/page";
import { QueryView } from "../../ui/query-view";
import { Section } from "../../ui/section";
import { Ago } from "../../ui/time";
import { collectionQuery } from "../vault/collections";
import { Person } from "../vault/people";
import { fieldsOf } from "./fields";
import { RecordEditor } from "./record-editor";
import { Value } from "./value";

const route = getRouteApi("/app/vault/records/$id");

export function RecordScreen() {
  const { id } = route.useParams();
  const record = useQuery({
    queryKey: ["record", id],
    queryFn: ({ signal }) => ask(api.GET("/api/v1/vault/records/{id}", { params: { path: { id } }, signal })),
  });
  const within = record.data?.collection_id ?? "";
  // A record may be readable where its collection is not: then there is no schema to go by.
  const collection = useQuery({ ...collectionQuery(within), enabled: within !== "" });
  return (
    <Page
      title="Record"
      back={
        within
          ? {
              to: `/vault/collections/${within}`,
              tab: "records",
              label: collection.data?.name ?? "Collection",
            }
          : { to: "/vault", label: "Vault" }
      }
      actions={
        record.data &&
        !collection.isPending && (
          <Actions
            record={record.data}
            schema={collection.data?.schema}
            onReload={() => void record.refetch()}
          />
        )
      }
    >
      <QueryView query={record}>
        {(data) => <Body record={data} schema={collection.data?.schema} />}
      </QueryView>
    </Page>
  );
}

function Body({ record, schema }: { record: VaultRecord; schema: Collection["schema"] }) {
  const data = isObject(record.data) ? record.data : {};
  const labels = new Map(fieldsOf(schema).map(({ place, label }) => [place[0], label]));
  const facts = Object.entries(data).map(([name, value]): [string, ReactNode] => [
    labels.get(name) ?? name,
    <Value key={name} value={value} />,
  ]);
  return (
    <Stack>
      <Section title="Data">
        {facts.length > 0 ? (
          <Facts items={Object.fromEntries(facts)} />
        ) : (
          <Text c="dimmed">It says nothing.</Text>
        )}
      </Section>
      <Section title="About">
        <Facts
          items={{
            Id: <Id id={record.id} />,
            Owner: <Person id={record.owner_id} />,
            Created: <Ago at={record.created_at} />,
            Changed: <Ago at={record.updated_at} />,
          }}
        />
      </Section>
    </Stack>
  );
}

interface ActionsProps {
  record: VaultRecord;
  schema: Collection["schema"];
  onReload: () => void;
}

function Actions({ record, schema, onReload }: ActionsProps) {
  const [asking, setAsking] = useState<"edit" | "delete" | null>(null);
  const can = usePermissions();
  const close = () => setAsking(null);
  if (!can("vault.write")) return null;
  return (
    <>
      <Button variant="default" onClick={() => setAsking("edit")}>
        Edit
      </Button>
      <Button variant="default" onClick={() => setAsking("delete")}>
        Delete
      </Button>
      {asking === "edit" && <Edit record={record} schema={schema} onReload={onReload} onClose={close} />}
      {asking === "delete" && <Delete record={record} onReload={onReload} onClose={close} />}
    </>
  );
}

type Dialog = Omit<ActionsProps, "schema"> & { onClose: () => void };

function Edit({ record, schema, onReload, onClose }: Dialog & Pick<ActionsProps, "schema">) {
  const save = useAction({
    run: (data: JsonObject, headers) =>
      ask(
        api.PATCH("/api/v1/vault/records/{id}", {
          params: { path: { id: record.id } },
          body: { data },
          headers: { ...headers, ...ifMatch(record) },
        }),
      ),
    changes: [["record", record.id], ["records"]],
    done: "Record saved.",
    onSuccess: onClose,
  });
  return (
    <RecordEditor
      title="Edit the record"
      submitLabel="Save"
      schema={schema}
      record={record}
      action={save}
      onClose={onClose}
      onReload={onReload}
    />
  );
}

function Delete({ record, onReload, onClose }: Dialog) {
  const navigate = useNavigate();
  const remove = useAction({
    run: (_, headers) =>
      ask(
        api.DELETE("/api/v1/vault/records/{id}", {
          params: { path: { id: record.id } },
          headers: { ...headers, ...ifMatch(record) },
        }),
      ),
    changes: [["records"]],
    done: "Record deleted.",
    onSuccess: () =>
      void navigate({
        to: "/vault/collections/$id",
        params: { id: record.collection_id },
        search: { tab: "records" },
      }),
  });
  return (
    <ConfirmDialog
      title="Delete this record?"
      confirmLabel="Delete the record"
      action={remove}
      onClose={onClose}
      onReload={onReload}
    >
      It is gone for good. Records don’t go to the trash.
    </ConfirmDialog>
  );
}
