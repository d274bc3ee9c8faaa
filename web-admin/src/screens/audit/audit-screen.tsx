import { Button, Text, UnstyledButton } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { Download } from "lucide-react";
import { api, ask } from "../../api/client";
import { all, eq, since, startsWith, until } from "../../api/filter";
import type { AuditEntry } from "../../api/types";
import { useList } from "../../lists/use-list";
import { Allowed } from "../../session/permissions";
import type { Column } from "../../ui/data-table";
import { Id } from "../../ui/id";
import { ListView } from "../../ui/list-view";
import { Page } from "../../ui/page";
import { At } from "../../ui/time";
import { AuditFilters, type AuditSearch } from "./audit-filters";
import classes from "./audit.module.css";
import { EntryDrawer } from "./entry-drawer";
import { OutcomeStatus } from "./outcome-status";
import { VerifyTrail } from "./verify-trail";

const route = getRouteApi("/app/audit");

function columns(open: (id: string) => void): Column<AuditEntry>[] {
  return [
    {
      header: "Action",
      render: ({ id, action }) => (
        <UnstyledButton className={classes.open} onClick={() => open(id)}>
          {action}
        </UnstyledButton>
      ),
    },
    { header: "Actor", render: ({ actor }) => actor.name || actor.id || actor.kind },
    {
      header: "Target",
      render: ({ target }) =>
        target ? (
          <>
            {target.kind} <Id id={target.id} />
          </>
        ) : (
          <Text span c="dimmed">
            –
          </Text>
        ),
    },
    { header: "Outcome", render: ({ outcome }) => <OutcomeStatus outcome={outcome} /> },
    { header: "When", sort: "occurred_at", render: ({ occurred_at }) => <At at={occurred_at} /> },
    { header: "No.", numeric: true, render: ({ sequence }) => sequence ?? "–" },
  ];
}

export function AuditScreen() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const filter = all(
    eq("actor_id", search.actor),
    startsWith("action", search.action),
    eq("outcome", search.outcome),
    since("occurred_at", search.since),
    until("occurred_at", search.until),
  );
  const list = useList({
    key: ["audit"],
    filter,
    sort: search.sort,
    load: (query, signal) => ask(api.GET("/api/v1/audit/entries", { params: { query }, signal })),
  });
  const show = (patch: AuditSearch & { sort?: string; entry?: string }) =>
    void navigate({ search: (before) => ({ ...before, ...patch }), replace: true });
  return (
    <Page
      title="Audit"
      lead="What was done, by whom, and whether it was allowed. The trail can't be changed without a trace."
      actions={
        <Allowed to="audit.export">
          <Button
            component="a"
            href={`/api/v1/audit/export${filter ? `?filter=${encodeURIComponent(filter)}` : ""}`}
            download="audit.ndjson"
            variant="default"
            leftSection={<Download size={15} aria-hidden />}
          >
            Export
          </Button>
        </Allowed>
      }
    >
      <VerifyTrail />
      <AuditFilters search={search} onChange={show} />
      <ListView
        list={list}
        caption="Audit entries"
        columns={columns((entry) => show({ entry }))}
        rowKey={({ id }) => id}
        sort={search.sort}
        onSort={(sort) => show({ sort })}
        empty={filter ? "No entry matches these filters." : "Nothing has been recorded yet."}
      />
      <EntryDrawer
        id={search.entry}
        onClose={() => show({ entry: undefined })}
        onActor={(actor) => show({ actor, entry: undefined })}
      />
    </Page>
  );
}
