/** A host and a path to a pool, without writing JSON: each field changes its member and leaves the others. */
import { Select, SimpleGrid, TagsInput, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import { parseObject, pretty, valueAt, withValue, type JsonObject } from "../../api/json";
import { Section } from "../../ui/section";
import { text, texts } from "./words";

interface Props {
  match: string;
  action: string;
  onMatch: (text: string) => void;
  onAction: (text: string) => void;
}

export function CommonCase({ match, action, onMatch, onAction }: Props) {
  const pools = useQuery({
    queryKey: ["pools", "choices"],
    queryFn: ({ signal }) =>
      ask(api.GET("/api/v1/edge/pools", { params: { query: { limit: 200 } }, signal })),
  });
  const [condition, deed] = [objectIn(match), objectIn(action)];
  const pool = valueAt(deed, ["kind"]) === "upstream" ? text(valueAt(deed, ["pool"])) : "";
  const names = new Set([...(pools.data?.items ?? []).map(({ name }) => name), ...(pool ? [pool] : [])]);
  const put = (member: string, value: unknown) =>
    condition && onMatch(pretty(withValue(condition, [member], value)));
  return (
    <Section
      title="The commonest case"
      lead="Requests for a host and a path go to a pool. What is chosen here is written into the match and the action below."
    >
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        <TagsInput
          label="Hosts"
          description="Enter adds one; none for all"
          disabled={!condition}
          value={texts(valueAt(condition, ["hosts"]))}
          onChange={(hosts) => put("hosts", hosts.length > 0 ? hosts : undefined)}
        />
        <TextInput
          label="Path begins with"
          description="Such as /shop; empty for all"
          disabled={!condition}
          value={text(valueAt(condition, ["path", "prefix"]))}
          onChange={({ currentTarget: { value } }) => put("path", value ? { prefix: value } : undefined)}
        />
        <Select
          label="Pool"
          description="Who answers"
          placeholder={deed && pool === "" ? "See the action" : undefined}
          searchable
          nothingFoundMessage="No such pool; make it first."
          data={[...names]}
          value={pool || null}
          onChange={(name) => name && onAction(pretty({ kind: "upstream", pool: name }))}
        />
      </SimpleGrid>
    </Section>
  );
}

function objectIn(json: string): JsonObject | undefined {
  const read = parseObject(json);
  return "object" in read ? read.object : undefined;
}
