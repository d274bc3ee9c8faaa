/** What the records of a collection must look like, and changing that. */
import { Button, Code, Group, List, Text, Textarea } from "@mantine/core";
import { useState } from "react";
import { useAction } from "../../api/action";
import { api, ask, ifMatch } from "../../api/client";
import { parseObject, pretty } from "../../api/json";
import { fieldErrors } from "../../api/problem";
import type { Collection } from "../../api/types";
import { FormDialog } from "../../ui/form-dialog";
import { Section } from "../../ui/section";
import { fieldsOf, keyOf, type Field } from "./fields";
import classes from "./value.module.css";

interface Props {
  collection: Collection;
  mayEdit: boolean;
  onReload: () => void;
}

export function SchemaSection({ collection, mayEdit, onReload }: Props) {
  const [editing, setEditing] = useState(false);
  const { schema } = collection;
  const known = schema !== undefined && schema !== null;
  const fields = fieldsOf(schema);
  return (
    <Section
      title="Schema of the records"
      lead="A JSON Schema (2020-12) that each record must fit. Documents are not touched by it."
      actions={
        mayEdit && (
          <Button variant="default" size="xs" onClick={() => setEditing(true)}>
            {known ? "Edit the schema" : "Set a schema"}
          </Button>
        )
      }
    >
      {!known && <Text c="dimmed">There is none, so any JSON object can be a record here.</Text>}
      {fields.length > 0 && (
        <List size="sm" aria-label="Fields">
          {fields.map((field) => (
            <List.Item key={keyOf(field)}>
              {field.label}{" "}
              <Text span inherit c="dimmed">
                {described(field)}
              </Text>
            </List.Item>
          ))}
        </List>
      )}
      {known && (
        <Code block className={classes.json}>
          {pretty(schema)}
        </Code>
      )}
      {editing && (
        <EditSchema collection={collection} onClose={() => setEditing(false)} onReload={onReload} />
      )}
    </Section>
  );
}

const KIND: Record<Field["kind"], string> = {
  text: "text",
  date: "a date",
  choice: "one of a list",
  number: "a number",
  yes_no: "yes or no",
  texts: "a list of texts",
  group: "a group",
  json: "any other JSON",
};

function described({ kind, whole, required, hint }: Field): string {
  const words = [whole ? "a whole number" : KIND[kind], required ? "required" : "may be left out", hint];
  return words.filter(Boolean).join(", ");
}

const EXAMPLE = pretty({
  type: "object",
  required: ["name"],
  properties: {
    name: { type: "string", maxLength: 100 },
    born: { type: "string", format: "date" },
    size: { enum: ["small", "large"] },
  },
  additionalProperties: false,
});

function EditSchema({ collection, onClose, onReload }: Omit<Props, "mayEdit"> & { onClose: () => void }) {
  const { schema } = collection;
  const [text, setText] = useState(() => (schema === undefined || schema === null ? "" : pretty(schema)));
  const [complaint, setComplaint] = useState<string | null>(null);
  const save = useAction({
    run: (next: unknown, headers) =>
      ask(
        api.PATCH("/api/v1/vault/collections/{id}", {
          params: { path: { id: collection.id } },
          body: { schema: next },
          headers: { ...headers, ...ifMatch(collection) },
        }),
      ),
    changes: [["collections"], ["collection", collection.id]],
    done: "Schema saved.",
    onSuccess: onClose,
  });
  const submit = () => {
    const read = text.trim() === "" ? { object: null } : parseObject(text);
    setComplaint("reason" in read ? read.reason : null);
    if ("object" in read) save.mutate(read.object);
  };
  const change = (next: string) => {
    setText(next);
    setComplaint(null);
  };
  return (
    <FormDialog
      opened
      size="lg"
      title="Schema of the records"
      onClose={onClose}
      onSubmit={submit}
      submitLabel="Save"
      pending={save.isPending}
      error={save.error}
      onReload={onReload}
    >
      <Textarea
        label="JSON Schema"
        description="Empty for none. References lead to its own #/$defs/… only. Records that are there are checked when they next change."
        error={complaint ?? fieldErrors(save.error).schema}
        autosize
        minRows={10}
        maxRows={24}
        spellCheck={false}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        data-autofocus
        value={text}
        onChange={(event) => change(event.currentTarget.value)}
      />
      {text.trim() === "" && (
        <Group>
          <Button variant="default" size="xs" onClick={() => change(EXAMPLE)}>
            Begin with an example
          </Button>
        </Group>
      )}
    </FormDialog>
  );
}
