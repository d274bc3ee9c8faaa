import { List, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import type { RoutingStatus } from "../../api/types";
import { Notice } from "../../ui/notice";

const POLL_MS = 5_000;

/** Whether what is written is what is done. */
export function InForce() {
  const status = useQuery({
    queryKey: ["routing"],
    queryFn: ({ signal }) => ask(api.GET("/api/v1/edge/routing", { signal })),
    refetchInterval: POLL_MS,
  });
  return status.data && <Standing {...status.data} />;
}

function Standing({ applied, version, routes, pools, problems }: RoutingStatus) {
  if (problems.length > 0)
    return (
      <Notice tone="bad" role="alert" title="What is written here is not in force">
        The routes and pools don’t go together with the file of routes, so what was in force before stays.
        Mend this, here or in the file:
        <List size="sm" mt={4}>
          {problems.map((problem) => (
            <List.Item key={problem}>{problem}</List.Item>
          ))}
        </List>
      </Notice>
    );
  if (applied !== version)
    return (
      <Notice tone="warn" role="status" title="The last change is not in force yet">
        This server works by version {applied}, and version {version} is the latest. It follows within a
        second; if it does not, look at its log.
      </Notice>
    );
  return (
    <Text size="sm" c="dimmed">
      In force: {counted(routes, "route")} and {counted(pools, "pool")}, those of the file of routes included.
    </Text>
  );
}

function counted(number: number, what: string): string {
  return number === 1 ? `1 ${what}` : `${number} ${what}s`;
}
