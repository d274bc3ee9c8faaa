/** How many requests clients may send, whom that hits, and what another limit would do. */
import { Paper, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import type { LimitInForce } from "../../api/types";
import { Allowed } from "../../session/permissions";
import { DataTable, type Column } from "../../ui/data-table";
import { Page } from "../../ui/page";
import { QueryView } from "../../ui/query-view";
import { Status } from "../../ui/status";
import { Simulator } from "./simulator";
import { byInWords } from "./words";

const COLUMNS: Column<LimitInForce>[] = [
  { header: "Name", render: ({ name }) => name },
  {
    header: "Applies to",
    render: ({ everywhere, shared }) => (
      <>
        {everywhere ? "every request" : "routes that name it"}
        {shared && (
          <Text size="sm" c="dimmed">
            counts for all servers together
          </Text>
        )}
      </>
    ),
  },
  { header: "Counts by", render: ({ by }) => byInWords(by) },
  {
    header: "Lets through",
    render: ({ per_minute, burst, cost }) => (
      <>
        {per_minute} a minute, {burst} at once
        {cost > 1 && (
          <Text size="sm" c="dimmed">
            a request takes {cost}
          </Text>
        )}
      </>
    ),
  },
  {
    header: "State",
    render: ({ dry_run }) => (
      <Status tone={dry_run ? "idle" : "ok"}>{dry_run ? "dry run" : "refuses"}</Status>
    ),
  },
  {
    header: "Refused",
    numeric: true,
    render: ({ dry_run, refused, would_refuse }) => (dry_run ? `${would_refuse} would have been` : refused),
  },
  { header: "Clients remembered", numeric: true, render: ({ clients }) => clients },
];

export function LimitsScreen() {
  const limits = useQuery({
    queryKey: ["limits"],
    queryFn: ({ signal }) => ask(api.GET("/api/v1/edge/limits", { signal })),
    refetchInterval: 5000,
  });
  return (
    <Page
      title="Limits"
      lead="How many requests clients may send to the server that answers you, counted since it was started. The settings say which limits there are."
    >
      <Stack>
        <QueryView query={limits}>
          {({ limits: all }) => (
            <Paper withBorder>
              {all.length > 0 ? (
                <DataTable
                  caption="Limits in force"
                  columns={COLUMNS}
                  rows={all}
                  rowKey={({ name }) => name}
                />
              ) : (
                <Text p="xl" c="dimmed" ta="center">
                  No limit is in force. They stand in the settings, under gateway.rate_limits and
                  gateway.limits.
                </Text>
              )}
            </Paper>
          )}
        </QueryView>
        <Allowed to="edge.requests.read">
          <Simulator />
        </Allowed>
      </Stack>
    </Page>
  );
}
