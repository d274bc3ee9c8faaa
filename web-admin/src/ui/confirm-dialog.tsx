/** The one question before something hard to undo; a word to type where a slip would be costly. */
import { Code, Text, TextInput } from "@mantine/core";
import { useState, type ReactNode } from "react";
import { FormDialog } from "./form-dialog";

interface Action {
  mutate: (input: undefined, options: { onSuccess: () => void }) => void;
  isPending: boolean;
  error: unknown;
}

interface Props {
  title: string;
  children: ReactNode;
  confirmLabel: string;
  /** Bound to what is confirmed; closes the dialog when it worked. */
  action: Action;
  onClose: () => void;
  /** Must be typed before the button works. */
  typed?: string;
  danger?: boolean;
  onReload?: () => void;
}

/** Mount it to ask, unmount it to stop asking, so that nothing typed outlives the question. */
export function ConfirmDialog(props: Props) {
  const { title, children, confirmLabel, action, onClose, typed, danger = true, onReload } = props;
  const [text, setText] = useState("");
  return (
    <FormDialog
      opened
      title={title}
      onClose={onClose}
      onSubmit={() => action.mutate(undefined, { onSuccess: onClose })}
      submitLabel={confirmLabel}
      pending={action.isPending}
      error={action.error}
      onReload={onReload}
      disabled={typed !== undefined && text !== typed}
      danger={danger}
    >
      <Text size="md" component="div">
        {children}
      </Text>
      {typed !== undefined && (
        <TextInput
          label={
            <>
              Type <Code>{typed}</Code> to confirm
            </>
          }
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          autoComplete="off"
          data-autofocus
        />
      )}
    </FormDialog>
  );
}
