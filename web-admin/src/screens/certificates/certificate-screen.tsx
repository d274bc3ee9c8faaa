import { Alert, Code, Stack, Text, Timeline } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { api, ask } from "../../api/client";
import type { Certificate, CertificateStep } from "../../api/types";
import { Facts } from "../../ui/facts";
import { Page } from "../../ui/page";
import { QueryView } from "../../ui/query-view";
import { Section } from "../../ui/section";
import { Ago, At } from "../../ui/time";
import { CertificateStatus, isAtRest } from "./certificate-status";
import { RenewCertificate } from "./renew-certificate";

const route = getRouteApi("/app/certificates/$name");

export function CertificateScreen() {
  const { name } = route.useParams();
  const certificate = useQuery({
    queryKey: ["certificates", "one", name],
    queryFn: ({ signal }) =>
      ask(api.GET("/api/v1/edge/certificates/{name}", { params: { path: { name } }, signal })),
    refetchInterval: ({ state }) => (state.data && isAtRest(state.data) ? 15_000 : 1_000),
  });
  const steps = useQuery({
    queryKey: ["certificates", "steps", name, certificate.data?.status, certificate.data?.next_look_at],
    queryFn: ({ signal }) =>
      ask(
        api.GET("/api/v1/edge/certificates/{name}/steps", {
          params: { path: { name }, query: { limit: 64 } },
          signal,
        }),
      ),
    placeholderData: (before) => before,
  });
  return (
    <Page
      title={name}
      back={{ to: "/certificates", label: "Certificates" }}
      actions={certificate.data && <RenewCertificate certificate={certificate.data} />}
    >
      <QueryView query={certificate}>
        {(data) => (
          <>
            {data.failure && <Failure failure={data.failure} />}
            <CertificateFacts certificate={data} />
          </>
        )}
      </QueryView>
      <Section title="What happened">
        <QueryView query={steps}>{({ items }) => <Steps steps={items} />}</QueryView>
      </Section>
    </Page>
  );
}

function Failure({ failure }: { failure: NonNullable<Certificate["failure"]> }) {
  return (
    <Alert color="red" title={failure.sentence} role="status">
      <Stack gap={4}>
        <Text size="sm">{failure.mend}</Text>
        <Text size="sm">
          It is tried again by itself <Ago at={failure.next_try_at} />.
        </Text>
        {failure.evidence && <Evidence>{failure.evidence}</Evidence>}
        <Code>{failure.code}</Code>
      </Stack>
    </Alert>
  );
}

function CertificateFacts({ certificate }: { certificate: Certificate }) {
  const { not_before, expires_at, renew_at } = certificate;
  return (
    <Section title="About">
      <Facts
        items={{
          State: <CertificateStatus status={certificate.status} />,
          Issuer: certificate.issuer,
          "Valid from": not_before && <At at={not_before} />,
          Expires: expires_at && <At at={expires_at} />,
          "Renewed from": renew_at && <At at={renew_at} />,
          "Looked at again": <At at={certificate.next_look_at} />,
          Tenant: <Code>{certificate.tenant_id}</Code>,
        }}
      />
    </Section>
  );
}

function Steps({ steps }: { steps: CertificateStep[] }) {
  if (steps.length === 0) return <Text c="dimmed">Nothing yet: it waits for its turn.</Text>;
  return (
    <Timeline bulletSize={14} lineWidth={2}>
      {steps.map((step) => (
        <Timeline.Item key={step.number} title={step.sentence} color={step.code ? "red" : "teal"}>
          <Stack gap={2}>
            <Text size="sm" c="dimmed">
              <At at={step.at} />
              {step.next_try_at && (
                <>
                  {" · goes on "}
                  <Ago at={step.next_try_at} />
                </>
              )}
            </Text>
            {step.mend && <Text size="sm">{step.mend}</Text>}
            {step.evidence && <Evidence>{step.evidence}</Evidence>}
          </Stack>
        </Timeline.Item>
      ))}
    </Timeline>
  );
}

function Evidence({ children }: { children: string }) {
  return (
    <Code block style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
      {children}
    </Code>
  );
}
