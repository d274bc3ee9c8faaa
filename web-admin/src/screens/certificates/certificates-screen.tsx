import { Anchor } from "@mantine/core";
import { getRouteApi, Link } from "@tanstack/react-router";
import { api, ask } from "../../api/client";
import { contains } from "../../api/filter";
import type { Certificate } from "../../api/types";
import { useList } from "../../lists/use-list";
import type { Column } from "../../ui/data-table";
import { LazyText } from "../../ui/lazy-text";
import { ListView } from "../../ui/list-view";
import { Page } from "../../ui/page";
import { Ago, At } from "../../ui/time";
import { CertificateStatus } from "./certificate-status";

const route = getRouteApi("/app/certificates");

const POLL_MS = 5_000;

const COLUMNS: Column<Certificate>[] = [
  {
    header: "Name",
    sort: "name",
    render: ({ name }) => (
      <Anchor component={Link} to={`/certificates/${encodeURIComponent(name)}`} inherit fw={500}>
        {name}
      </Anchor>
    ),
  },
  { header: "State", render: ({ status }) => <CertificateStatus status={status} /> },
  { header: "Issuer", render: ({ issuer }) => issuer },
  { header: "Expires", render: ({ expires_at }) => expires_at && <At at={expires_at} /> },
  { header: "Looked at again", render: ({ next_look_at }) => <Ago at={next_look_at} /> },
];

export function CertificatesScreen() {
  const { name, sort } = route.useSearch();
  const navigate = route.useNavigate();
  const list = useList({
    key: ["certificates"],
    filter: contains("name", name),
    sort,
    refetchInterval: POLL_MS,
    load: (query, signal) => ask(api.GET("/api/v1/edge/certificates", { params: { query }, signal })),
  });
  const show = (patch: { name?: string; sort?: string }) =>
    void navigate({ search: (before) => ({ ...before, ...patch }), replace: true });
  return (
    <Page
      title="Certificates"
      lead="Obtained before the first visitor comes, renewed in time, and served whatever else is down."
    >
      <LazyText label="Name" value={name} onChange={(next) => show({ name: next })} />
      <ListView
        list={list}
        caption="Certificates"
        columns={COLUMNS}
        rowKey={({ name: key }) => key}
        sort={sort}
        onSort={(next) => show({ sort: next })}
        empty={
          name
            ? "No certificate has this in its name."
            : "There are none yet. A verified domain gets one by itself; so do the names in edge.names."
        }
      />
    </Page>
  );
}
