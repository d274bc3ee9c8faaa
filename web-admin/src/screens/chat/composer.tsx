/** Where the next question is written, and where it is to be looked for. */
import { Button, Group, MultiSelect, Paper, Stack, Switch, Textarea } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { SendHorizontal } from "lucide-react";
import { useState, type KeyboardEvent, type SyntheticEvent } from "react";
import { usePermissions } from "../../session/permissions";
import { collectionChoices } from "../vault/collections";
import { ModelPicker, type ModelChoice } from "./model-picker";

export interface Scope {
  /** Whether documents are searched at all. */
  search: boolean;
  /** In these only; in all when none is named. */
  collections: string[];
}

/** The scope as the API takes it: none named is all, an empty list is no search. */
export function scopeOf({ search, collections }: Scope): { collections?: string[] } {
  if (!search) return { collections: [] };
  return collections.length > 0 ? { collections } : {};
}

interface Props {
  busy: boolean;
  scope: Scope;
  onScope: (scope: Scope) => void;
  model: ModelChoice;
  onModel: (model: ModelChoice) => void;
  /** Says whether the question was taken. */
  onSend: (content: string) => Promise<boolean>;
}

export function Composer({ busy, scope, onScope, model, onModel, onSend }: Props) {
  const [text, setText] = useState("");
  const ready = !busy && text.trim() !== "";
  const send = () => {
    if (!ready) return;
    setText("");
    // A question that was refused is not lost, unless another one is being written already.
    void onSend(text.trim()).then((taken) => {
      if (!taken) setText((now) => now || text);
    });
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    send();
  };
  const key = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <Paper component="form" withBorder p="sm" onSubmit={submit}>
      <Stack gap="sm">
        <Textarea
          label="Your question"
          description="Enter sends, Shift and Enter begin a new line"
          autosize
          minRows={2}
          maxRows={10}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={key}
        />
        <Group justify="space-between" align="flex-end">
          <Group gap="md" align="flex-end" flex="1 1 300px">
            <ScopePicker scope={scope} onScope={onScope} />
            <ModelPicker choice={model} onChoice={onModel} />
          </Group>
          <Button type="submit" disabled={!ready} rightSection={<SendHorizontal size={15} aria-hidden />}>
            Ask
          </Button>
        </Group>
      </Stack>
    </Paper>
  );
}

function ScopePicker({ scope, onScope }: Pick<Props, "scope" | "onScope">) {
  const can = usePermissions();
  const collections = useQuery({ ...collectionChoices, enabled: can("vault.read") });
  const choices = (collections.data?.items ?? []).filter(({ searchable }) => searchable);
  return (
    <>
      {scope.search && (
        <MultiSelect
          label="Search in"
          placeholder={scope.collections.length > 0 ? undefined : "All that I may read"}
          flex="0 1 320px"
          data={choices.map(({ id, name }) => ({ value: id, label: name }))}
          value={scope.collections}
          onChange={(next) => onScope({ ...scope, collections: next })}
        />
      )}
      <Switch
        label="Search documents"
        my={6}
        checked={scope.search}
        onChange={(event) => onScope({ ...scope, search: event.currentTarget.checked })}
      />
    </>
  );
}
