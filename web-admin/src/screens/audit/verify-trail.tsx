import { Button, Code } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { ShieldCheck } from "lucide-react";
import { api, ask } from "../../api/client";
import type { Verification } from "../../api/types";
import { ErrorPanel } from "../../ui/error-panel";
import { Facts } from "../../ui/facts";
import { Section } from "../../ui/section";
import { Status } from "../../ui/status";
import { At } from "../../ui/time";

/** Asks the server to recompute the whole trail. */
export function VerifyTrail() {
  const verify = useMutation({ mutationFn: () => ask(api.GET("/api/v1/audit/verify")) });
  return (
    <Section
      title="Is the trail intact?"
      lead="Recomputes every hash and compares it with the record."
      actions={
        <Button
          variant="default"
          leftSection={<ShieldCheck size={16} aria-hidden />}
          loading={verify.isPending}
          onClick={() => verify.mutate()}
        >
          Verify
        </Button>
      }
    >
      <div aria-live="polite" style={{ display: "contents" }}>
        {verify.error && <ErrorPanel error={verify.error} onRetry={() => verify.mutate()} />}
        {verify.data && <Result verification={verify.data} />}
      </div>
    </Section>
  );
}

function Result({ verification }: { verification: Verification }) {
  const { ok, first_bad: bad } = verification;
  return (
    <Facts
      items={{
        Result: <Status tone={ok ? "ok" : "bad"}>{ok ? "Intact" : "Tampered with"}</Status>,
        "First bad entry": bad && `No. ${bad.sequence}: ${bad.reason}`,
        Checked: `${verification.checked} of ${verification.size} entries`,
        "Not numbered yet": verification.unsequenced || null,
        "Root hash": <Code>{verification.root_hash}</Code>,
        At: <At at={verification.checked_at} />,
      }}
    />
  );
}
