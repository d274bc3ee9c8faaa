import { Button, FileButton, Group, Progress, Stack, Text } from "@mantine/core";
import { FileUp } from "lucide-react";
import { useState } from "react";
import { useAction } from "../../api/action";
import { api, ask, ifMatch } from "../../api/client";
import type { DocumentVersion, VaultDocument } from "../../api/types";
import { upload } from "../../api/upload";
import { useList } from "../../lists/use-list";
import { usePermissions } from "../../session/permissions";
import type { Column } from "../../ui/data-table";
import { ErrorPanel } from "../../ui/error-panel";
import { ListView } from "../../ui/list-view";
import { ScreenLink } from "../../ui/screen-link";
import { Section } from "../../ui/section";
import { size } from "../../ui/size";
import { Ago } from "../../ui/time";
import { contentPath } from "./content";
import { Person } from "./people";

export function Versions({ document }: { document: VaultDocument }) {
  const can = usePermissions();
  const list = useList({
    key: ["versions", document.id],
    sort: "-number",
    load: (query, signal) =>
      ask(
        api.GET("/api/v1/vault/documents/{id}/versions", {
          params: { path: { id: document.id }, query },
          signal,
        }),
      ),
  });
  const columns: Column<DocumentVersion>[] = [
    {
      header: "Version",
      render: ({ id, number }) => (
        <>
          <ScreenLink
            to="/vault/documents/$id"
            params={{ id: document.id }}
            search={{ version: id }}
            inherit
            fw={500}
          >
            {number}
          </ScreenLink>
          {id === document.version_id && (
            <Text span c="dimmed">
              {" "}
              (newest)
            </Text>
          )}
        </>
      ),
    },
    { header: "Kind", render: ({ media_type }) => media_type },
    { header: "Size", numeric: true, render: (version) => size(version.size) },
    { header: "Made by", render: ({ created_by }) => <Person id={created_by} /> },
    { header: "Made", render: ({ created_at }) => <Ago at={created_at} /> },
    {
      header: "",
      render: ({ id, number }) => (
        <Group justify="flex-end">
          <Button
            component="a"
            size="compact-sm"
            variant="default"
            href={contentPath(document.id, id)}
            download={document.name}
            aria-label={`Download version ${number}`}
          >
            Download
          </Button>
        </Group>
      ),
    },
  ];
  return (
    <Section title="Versions" lead="Search and chat use the newest one.">
      {can("vault.write") && !document.deleted_at && <NewVersion document={document} />}
      <ListView
        list={list}
        caption="Versions"
        columns={columns}
        rowKey={({ id }) => id}
        empty="No versions."
      />
    </Section>
  );
}

function NewVersion({ document }: { document: VaultDocument }) {
  const [progress, setProgress] = useState(0);
  const send = useAction({
    run: ({ file }: { file: File; about: string }, headers) =>
      upload<DocumentVersion>({
        path: `/api/v1/vault/documents/${document.id}/versions`,
        file,
        headers: { ...headers, ...ifMatch(document) },
        signal: new AbortController().signal,
        onProgress: setProgress,
      }),
    changes: [["versions", document.id], ["document", document.id], ["documents"], ["reading"]],
    done: "New version uploaded.",
  });
  return (
    <Stack gap="xs">
      <Group>
        <FileButton onChange={(file) => file && send.mutate({ file, about: aboutOf(file) })}>
          {(props) => (
            <Button
              variant="default"
              size="xs"
              leftSection={<FileUp size={14} aria-hidden />}
              loading={send.isPending}
              {...props}
            >
              Upload a new version
            </Button>
          )}
        </FileButton>
        {send.isPending && (
          <Progress value={progress * 100} size="sm" flex={1} aria-label="Progress of the new version" />
        )}
      </Group>
      {send.error && <ErrorPanel error={send.error} />}
    </Stack>
  );
}

/** What tells files apart, for a `File` says nothing of itself in JSON. */
function aboutOf({ name, size, lastModified }: File): string {
  return `${name} ${size} ${lastModified}`;
}
