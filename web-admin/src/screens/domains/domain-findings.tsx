import { Code, Stack, Text } from "@mantine/core";
import type { Domain } from "../../api/types";
import { Notice } from "../../ui/notice";

/** What is wrong, in words, with what mends it; or that nothing is. */
export function DomainFindings({ domain }: { domain: Domain }) {
  const { findings, checked_at, ready } = domain;
  if (!checked_at) {
    return (
      <Notice tone="busy" title="Being checked">
        Set the records below; what is still missing shows here.
      </Notice>
    );
  }
  if (findings.length === 0) {
    return (
      <Notice tone={ready ? "ok" : "busy"} title="Nothing is wrong">
        All that was checked is as it ought to be.
      </Notice>
    );
  }
  return (
    <Stack gap="sm">
      {findings.map(({ code, sentence, evidence, mend }) => (
        <Notice key={code + sentence} tone={ready ? "warn" : "bad"} title={sentence}>
          <Stack gap={6}>
            <Text size="md">{mend}</Text>
            {evidence.length > 0 && (
              <Code block style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
                {evidence.join("\n")}
              </Code>
            )}
            <Text size="sm" c="dimmed">
              {code}
            </Text>
          </Stack>
        </Notice>
      ))}
    </Stack>
  );
}
