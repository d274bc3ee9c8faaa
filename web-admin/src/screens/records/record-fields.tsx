/** The fields of a record, each by the widget that fits it. A field that is emptied is left out of the record. */
import { Fieldset, NumberInput, Select, Stack, TagsInput, Textarea, TextInput } from "@mantine/core";
import { keyOf, type Field } from "./fields";
import { valueAt, type JsonObject } from "../../api/json";
import { JsonValueInput } from "./json-value-input";

interface Props {
  fields: Field[];
  data: JsonObject;
  /** By the key of a field. */
  complaints: Record<string, string>;
  onChange: (place: string[], value: unknown) => void;
  /** Tells of a field whose text is no JSON yet, by its key, and of its repair. */
  onUnreadable: (key: string, unreadable: boolean) => void;
}

export function RecordFields({ fields, ...props }: Props) {
  return (
    <Stack gap="sm">
      {fields.map((field) => (
        <RecordField key={keyOf(field)} field={field} {...props} />
      ))}
    </Stack>
  );
}

function RecordField({ field, ...props }: Omit<Props, "fields"> & { field: Field }) {
  const { data, complaints, onChange, onUnreadable } = props;
  const { label, hint: description, required, place } = field;
  const key = keyOf(field);
  const value = valueAt(data, place);
  const shared = { label, description, required, error: complaints[key] };
  const set = (next: unknown) => onChange(place, next);
  if (field.kind === "group") {
    return (
      <Fieldset legend={required ? `${label} *` : label}>
        <RecordFields fields={field.fields} {...props} />
      </Fieldset>
    );
  }
  // What is there already and is of another kind than the schema says is still shown, as JSON.
  if (field.kind === "json" || !fits(field, value))
    return (
      <JsonValueInput
        {...shared}
        value={value}
        onChange={set}
        onUnreadable={(unreadable) => onUnreadable(key, unreadable)}
      />
    );
  return <Widget field={field} shared={shared} value={value} set={set} />;
}

interface WidgetProps {
  field: Field;
  shared: { label: string; description?: string; required: boolean; error?: string };
  value: unknown;
  set: (value: unknown) => void;
}

function Widget({ field, shared, value, set }: WidgetProps) {
  const { required } = shared;
  const text = typeof value === "string" ? value : "";
  switch (field.kind) {
    case "choice":
      return (
        <Select
          {...shared}
          data={field.choices}
          clearable={!required}
          clearButtonProps={{ "aria-label": `Clear ${shared.label}` }}
          value={text || null}
          onChange={(next) => set(next ?? undefined)}
        />
      );
    case "yes_no":
      return (
        <Select
          {...shared}
          data={["yes", "no"]}
          clearable={!required}
          clearButtonProps={{ "aria-label": `Clear ${shared.label}` }}
          value={value === undefined ? null : value ? "yes" : "no"}
          onChange={(next) => set(next === null ? undefined : next === "yes")}
        />
      );
    case "number":
      return (
        <NumberInput
          {...shared}
          hideControls
          allowDecimal={!field.whole}
          value={value as number | undefined}
          onChange={(next) => set(next === "" ? undefined : next)}
        />
      );
    case "texts":
      return (
        <TagsInput
          {...shared}
          description={[shared.description, "Enter adds one"].filter(Boolean).join(" · ")}
          value={value as string[] | undefined}
          onChange={(next) => set(next.length > 0 ? next : required ? [] : undefined)}
        />
      );
    case "date":
      return (
        <TextInput
          {...shared}
          type="date"
          value={text}
          onChange={(event) => set(event.currentTarget.value || undefined)}
        />
      );
    default:
      return (
        <Textarea
          {...shared}
          autosize
          minRows={1}
          maxRows={10}
          value={text}
          onChange={(event) => set(event.currentTarget.value || undefined)}
        />
      );
  }
}

/** Whether the widget of a field can show a value without changing it. */
function fits({ kind, choices }: Field, value: unknown): boolean {
  if (value === undefined) return true;
  switch (kind) {
    case "choice":
      return typeof value === "string" && choices.includes(value);
    case "yes_no":
      return typeof value === "boolean";
    case "number":
      // Figures that are being typed, such as `-`, are text for a moment.
      return typeof value === "number" || typeof value === "string";
    case "texts":
      return Array.isArray(value) && value.every((item) => typeof item === "string");
    default:
      return typeof value === "string";
  }
}
