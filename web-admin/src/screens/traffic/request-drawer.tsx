import { Code, Drawer, Group } from "@mantine/core";
import type { ReactNode } from "react";
import type { EdgeRequest } from "../../api/types";
import { CopyButton } from "../../ui/copy-button";
import { Facts } from "../../ui/facts";
import { size } from "../../ui/size";
import { Status } from "../../ui/status";
import { At } from "../../ui/time";
import { toneOf, took } from "./words";

interface Props {
  request: EdgeRequest | undefined;
  onClose: () => void;
}

/** One request in full. */
export function RequestDrawer({ request, onClose }: Props) {
  return (
    <Drawer opened={request !== undefined} onClose={onClose} title="Request" position="right" size="lg">
      {request && <Detail request={request} />}
    </Drawer>
  );
}

function Detail({ request }: { request: EdgeRequest }) {
  return (
    <Facts
      items={{
        Method: request.method,
        Host: request.host,
        Path: <Long>{request.path}</Long>,
        Status: <Status tone={toneOf(request)}>{statusInWords(request.status)}</Status>,
        When: <At at={request.at} />,
        Took: took(request.duration_us),
        "Sent so far": `${size(request.bytes)}${request.complete ? "" : ", under way"}`,
        Protocol: `${request.protocol} over ${request.scheme}`,
        Address: <Long>{request.address}</Long>,
        Route: request.route,
        "Holdfast's operation": request.operation !== "none" && request.operation,
        Pool: request.pool,
        Server: request.upstream && <Long>{request.upstream}</Long>,
        Cache: request.cache,
        "Refused by": request.refused_by.join(", "),
        "In a dry run refused by": request.would_refuse.join(", "),
        Tenant: request.tenant,
        "Tenant id": request.tenant_id && <Copied value={request.tenant_id} label="Copy tenant id" />,
        Actor: request.actor,
        "Account id": request.account_id && <Copied value={request.account_id} label="Copy account id" />,
        "Credential, as a hash": request.credential && <Code>{request.credential}</Code>,
        "Request id": <Copied value={request.request_id} label="Copy request id" />,
        "Trace id": <Copied value={request.trace_id} label="Copy trace id" />,
      }}
    />
  );
}

function statusInWords(status: number): string {
  return status === 499 ? "499, the client left" : String(status);
}

function Long({ children }: { children: ReactNode }) {
  return <span style={{ overflowWrap: "anywhere" }}>{children}</span>;
}

function Copied({ value, label }: { value: string; label: string }) {
  return (
    <Group gap={4} wrap="nowrap">
      <Code style={{ overflowWrap: "anywhere" }}>{value}</Code>
      <CopyButton value={value} label={label} />
    </Group>
  );
}
