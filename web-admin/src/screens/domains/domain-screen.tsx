/** One domain: what is to be set, what is wrong, and what happened. */
import { Button, Code, Group } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { RefreshCw } from "lucide-react";
import { useState } from "react";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import type { Domain } from "../../api/types";
import { Allowed } from "../../session/permissions";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import { ErrorPanel } from "../../ui/error-panel";
import { Facts } from "../../ui/facts";
import { Page } from "../../ui/page";
import { QueryView } from "../../ui/query-view";
import { Section } from "../../ui/section";
import { Ago, At } from "../../ui/time";
import { DomainFindings } from "./domain-findings";
import { DomainRecords } from "./domain-records";
import { DomainStatus } from "./domain-status";
import { DomainTimeline } from "./domain-timeline";

const route = getRouteApi("/app/domains/$id");
const REFRESH_MS = 5_000;

export function DomainScreen() {
  const { id } = route.useParams();
  const navigate = route.useNavigate();
  const [releasing, setReleasing] = useState(false);
  const [gone, setGone] = useState(false);
  const domain = useQuery({
    queryKey: ["domains", "domain", id],
    queryFn: ({ signal }) =>
      ask(api.GET("/api/v1/tenancy/domains/{id}", { params: { path: { id } }, signal })),
    refetchInterval: REFRESH_MS,
    enabled: !gone,
  });
  const check = useAction({
    run: (_, headers) =>
      ask(api.POST("/api/v1/tenancy/domains/{id}/check", { params: { path: { id } }, headers })),
    changes: [["domains"]],
    done: "Checked.",
  });
  return (
    <Page
      title={domain.data?.display_name ?? "Domain"}
      back={{ to: "/domains", label: "Domains" }}
      actions={
        domain.data && (
          <Allowed to="tenancy.domains.write">
            <Group gap="xs">
              <Button
                leftSection={<RefreshCw size={15} aria-hidden />}
                loading={check.isPending}
                onClick={() => check.mutate()}
              >
                Check now
              </Button>
              <Button variant="default" onClick={() => setReleasing(true)}>
                Release
              </Button>
            </Group>
          </Allowed>
        )
      }
    >
      {check.error && <ErrorPanel error={check.error} />}
      <QueryView query={domain}>
        {(data) => (
          <>
            <DomainFindings domain={data} />
            <DomainRecords domain={data} />
            <DomainFacts domain={data} />
            <DomainTimeline id={id} />
          </>
        )}
      </QueryView>
      {releasing && domain.data && (
        <ReleaseDomain
          domain={domain.data}
          onClose={() => setReleasing(false)}
          onReleased={() => {
            setGone(true);
            void navigate({ to: "/domains" });
          }}
        />
      )}
    </Page>
  );
}

const PART = {
  ok: "as it ought to be",
  wrong: "not as it ought to be",
  unknown: "not known",
  not_checked: "not checked",
};

function DomainFacts({ domain }: { domain: Domain }) {
  const { certificate } = domain;
  return (
    <Section title="About">
      <Facts
        items={{
          State: <DomainStatus domain={domain} />,
          Proof: PART[domain.proof],
          Address:
            domain.address === "not_checked"
              ? "not checked: set tenancy.domains.targets"
              : PART[domain.address],
          CAA: PART[domain.caa],
          Certificate: certificate ? certificate.status : "none yet",
          "Certificate until": certificate?.expires_at && <At at={certificate.expires_at} />,
          Checked: <Ago at={domain.checked_at} />,
          "Next check": <Ago at={domain.next_check_at} />,
          "Held since": domain.verified_at && <At at={domain.verified_at} />,
          "Proof missing since": domain.proof_missing_since && <At at={domain.proof_missing_since} />,
          Claimed: <At at={domain.created_at} />,
          Id: <Code>{domain.id}</Code>,
        }}
      />
    </Section>
  );
}

interface ReleaseProps {
  domain: Domain;
  onClose: () => void;
  onReleased: () => void;
}

function ReleaseDomain({ domain, onClose, onReleased }: ReleaseProps) {
  const release = useAction({
    run: (_, headers) =>
      ask(api.DELETE("/api/v1/tenancy/domains/{id}", { params: { path: { id: domain.id } }, headers })),
    changes: [["domains"]],
    done: "Domain released.",
    onSuccess: onReleased,
  });
  return (
    <ConfirmDialog
      title={`Release ${domain.display_name}?`}
      confirmLabel="Release"
      typed={domain.name}
      action={release}
      onClose={onClose}
    >
      It leads nowhere from the next request on. Sessions and API keys that began there end, and to have it
      again needs a new proof.
    </ConfirmDialog>
  );
}
