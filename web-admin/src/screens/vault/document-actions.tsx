/** What can be done with a document as a whole. */
import { Button, Menu, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { ChevronDown, Download } from "lucide-react";
import { useState } from "react";
import { useAction } from "../../api/action";
import { api, ask, ifMatch } from "../../api/client";
import type { VaultDocument } from "../../api/types";
import { usePermissions } from "../../session/permissions";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import { FormDialog } from "../../ui/form-dialog";
import { contentPath } from "./content";

interface Props {
  document: VaultDocument;
  onReload: () => void;
}

export function DocumentActions({ document, onReload }: Props) {
  const [asking, setAsking] = useState<"rename" | "delete" | null>(null);
  const can = usePermissions();
  const close = () => setAsking(null);
  if (document.deleted_at) return null;
  return (
    <>
      <Button
        component="a"
        href={contentPath(document.id)}
        download={document.name}
        variant="default"
        leftSection={<Download size={16} aria-hidden />}
      >
        Download
      </Button>
      {can("vault.write") && (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button variant="default" rightSection={<ChevronDown size={14} aria-hidden />}>
              Change
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => setAsking("rename")}>Rename</Menu.Item>
            <Menu.Item onClick={() => setAsking("delete")}>Delete</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      {asking === "rename" && <Rename document={document} onClose={close} onReload={onReload} />}
      {asking === "delete" && <Delete document={document} onClose={close} onReload={onReload} />}
    </>
  );
}

function Rename({ document, onClose, onReload }: Props & { onClose: () => void }) {
  const [name, setName] = useState(document.name);
  const rename = useAction({
    run: (body: { name: string }, headers) =>
      ask(
        api.PATCH("/api/v1/vault/documents/{id}", {
          params: { path: { id: document.id } },
          body,
          headers: { ...headers, ...ifMatch(document) },
        }),
      ),
    changes: [["document", document.id], ["documents"], ["reading"]],
    done: "Document renamed.",
    onSuccess: onClose,
  });
  return (
    <FormDialog
      opened
      title="Rename the document"
      onClose={onClose}
      onSubmit={() => rename.mutate({ name: name.trim() })}
      submitLabel="Rename"
      pending={rename.isPending}
      error={rename.error}
      onReload={onReload}
      disabled={name.trim() === "" || name.trim() === document.name}
    >
      <TextInput
        label="Name"
        required
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        data-autofocus
      />
    </FormDialog>
  );
}

function Delete({ document, onClose, onReload }: Props & { onClose: () => void }) {
  const navigate = useNavigate();
  const remove = useAction({
    run: (_, headers) =>
      ask(
        api.DELETE("/api/v1/vault/documents/{id}", {
          params: { path: { id: document.id } },
          headers: { ...headers, ...ifMatch(document) },
        }),
      ),
    changes: [["documents"], ["reading"]],
    done: "Document deleted. It stays in the trash for a while.",
    onSuccess: () => void navigate({ to: `/vault/collections/${document.collection_id}` }),
  });
  return (
    <ConfirmDialog
      title={`Delete ${document.name}?`}
      confirmLabel="Delete the document"
      action={remove}
      onClose={onClose}
      onReload={onReload}
    >
      Readers and the search don’t see it from now on. Until it goes for good, it can be restored from the
      collection’s trash.
    </ConfirmDialog>
  );
}
