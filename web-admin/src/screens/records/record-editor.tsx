/** Making a record, and changing one: by fields where the collection's schema names them, else as JSON. */
import { SegmentedControl, Text, Textarea } from "@mantine/core";
import { useEffect, useMemo, useRef, useState } from "react";
import { isObject, mergePatch, parseObject, pretty, withValue, type JsonObject } from "../../api/json";
import { ApiError } from "../../api/problem";
import type { Collection, VaultRecord } from "../../api/types";
import { FormDialog } from "../../ui/form-dialog";
import { complaintsByField, fieldsOf, missing } from "./fields";
import { RecordFields } from "./record-fields";

interface Action {
  mutate: (data: JsonObject) => void;
  isPending: boolean;
  error: unknown;
}

interface Props {
  title: string;
  submitLabel: string;
  schema: Collection["schema"];
  /** What the record says now; nothing for a new one. */
  record: VaultRecord | null;
  /** Given the whole object for a new record, the merge patch for one that is there. */
  action: Action;
  onClose: () => void;
  onReload?: () => void;
}

export function RecordEditor({ title, submitLabel, schema, record, action, onClose, onReload }: Props) {
  const fields = useMemo(() => fieldsOf(schema), [schema]);
  // Changes are told from what the editor was opened with, so that those of others in between stay.
  const [base] = useState<JsonObject>(() => (isObject(record?.data) ? record.data : {}));
  const [data, setData] = useState(base);
  const [text, setText] = useState<string | null>(() => (fields.length > 0 ? null : pretty(base)));
  const [own, setOwn] = useState<Record<string, string>>({});
  const [unreadable, setUnreadable] = useState<ReadonlySet<string>>(new Set());
  const [refusal, setRefusal] = useState<string | null>(null);
  const body = useRef<HTMLDivElement>(null);
  const complaints = { ...complaintsByField(fields, problemsOf(action.error)), ...own };
  // The first field that complains takes the focus, so that it is seen and read out.
  useEffect(() => {
    body.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [action.error, own, refusal]);

  const turn = (mode: string) => {
    setOwn({});
    // What can't be read yet would be lost on the way.
    if (unreadable.size > 0) return;
    const read = parseObject(text ?? "");
    if (mode === "json") setText(pretty(data));
    else if ("object" in read) {
      setData(read.object);
      setText(null);
    }
    setRefusal(mode !== "json" && "reason" in read ? read.reason : null);
  };
  const submit = () => {
    const read = text === null ? { object: data } : parseObject(text);
    const asked = text === null ? missing(fields, data) : [];
    const patch = "object" in read ? mergePatch(base, read.object) : undefined;
    const lost = record !== null && "object" in read && gainsNull(base, read.object);
    setOwn(Object.fromEntries(asked.map((key) => [key, "This is required."])));
    setRefusal("reason" in read ? read.reason : lost ? LOST : null);
    if ("reason" in read || lost || asked.length > 0 || unreadable.size > 0) return;
    if (record && !patch) onClose();
    else action.mutate(record && patch ? patch : read.object);
  };
  return (
    <FormDialog
      opened
      size="lg"
      title={title}
      onClose={onClose}
      onSubmit={submit}
      submitLabel={submitLabel}
      pending={action.isPending}
      error={action.error}
      onReload={onReload}
    >
      {fields.length > 0 && (
        <SegmentedControl
          aria-label="How to write it"
          data={[
            { value: "fields", label: "Fields" },
            { value: "json", label: "JSON" },
          ]}
          value={text === null ? "fields" : "json"}
          onChange={turn}
        />
      )}
      <div ref={body}>
        {text === null ? (
          <RecordFields
            fields={fields}
            data={data}
            complaints={complaints}
            onChange={(place, value) => setData((before) => withValue(before, place, value))}
            onUnreadable={(key, is) => setUnreadable((before) => changed(before, key, is))}
          />
        ) : (
          <AsJson text={text} error={refusal} onChange={setText} bare={fields.length === 0 && !schema} />
        )}
      </div>
      {text === null && refusal && (
        <Text size="sm" c="var(--mantine-color-error)" role="alert">
          {refusal}
        </Text>
      )}
    </FormDialog>
  );
}

const LOST = "A change can’t make a member null. Leave the member out, which takes it away.";

function AsJson(props: {
  text: string;
  error: string | null;
  onChange: (text: string) => void;
  bare: boolean;
}) {
  const { text, error, onChange, bare } = props;
  return (
    <Textarea
      label="Record"
      description={
        bare ? "Any JSON object: this collection has no schema" : "A JSON object that fits the schema"
      }
      error={error}
      autosize
      minRows={8}
      maxRows={24}
      spellCheck={false}
      styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
      value={text}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

/** Whether a member became null, which a merge patch can't say: there, null takes the member away. */
function gainsNull(before: unknown, after: JsonObject): boolean {
  return Object.entries(after).some(([name, value]) => {
    const old = isObject(before) && Object.hasOwn(before, name) ? before[name] : undefined;
    return isObject(value) ? gainsNull(old, value) : value === null && old !== null;
  });
}

function problemsOf(error: unknown) {
  return error instanceof ApiError ? error.problem.errors : [];
}

function changed(before: ReadonlySet<string>, key: string, present: boolean): ReadonlySet<string> {
  const next = new Set(before);
  if (present) next.add(key);
  else next.delete(key);
  return next;
}
