/** A button that deletes what a page is about, after a question, and leads back to the list. */
import { Button } from "@mantine/core";
import type { QueryKey } from "@tanstack/react-query";
import { useNavigate, type LinkProps } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { useAction, type WriteHeaders } from "../api/action";
import { ConfirmDialog } from "./confirm-dialog";

interface Props {
  title: string;
  confirmLabel: string;
  run: (headers: WriteHeaders) => Promise<unknown>;
  /** Query keys whose data the deletion has changed. */
  changes: QueryKey[];
  /** Said when it worked. */
  done: string;
  /** The list. */
  leadsTo: LinkProps["to"];
  onReload: () => void;
  children: ReactNode;
}

export function DeleteEntry(props: Props) {
  const { title, confirmLabel, run, changes, done, leadsTo, onReload, children } = props;
  const [asking, setAsking] = useState(false);
  const navigate = useNavigate();
  const remove = useAction({
    run: (_, headers) => run(headers),
    changes,
    done,
    onSuccess: () => void navigate({ to: leadsTo }),
  });
  return (
    <>
      <Button variant="default" onClick={() => setAsking(true)}>
        Delete
      </Button>
      {asking && (
        <ConfirmDialog
          title={title}
          confirmLabel={confirmLabel}
          action={remove}
          onClose={() => setAsking(false)}
          onReload={onReload}
        >
          {children}
        </ConfirmDialog>
      )}
    </>
  );
}
