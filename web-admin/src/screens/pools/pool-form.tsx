import { Button, Group, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useRef } from "react";
import { isObject, parseObject, pretty, type JsonObject } from "../../api/json";
import { statusOf } from "../../api/problem";
import type { Pool } from "../../api/types";
import { ErrorPanel } from "../../ui/error-panel";
import { Section } from "../../ui/section";
import { JsonEditor } from "../routes/json-editor";
import { badName, unreadable } from "../routes/route-values";
import { useComplaints } from "../routes/use-complaints";

export interface PoolDraft extends JsonObject {
  name: string;
  settings: JsonObject;
}

interface Props {
  pool?: Pool;
  submitLabel: string;
  onSubmit: (draft: PoolDraft) => void;
  pending: boolean;
  error: unknown;
  onReload?: () => void;
  readOnly?: boolean;
}

const FIELDS = ["name", "settings"] as const;

/** What a pool says now; a new one has a server to be named. */
export function draftOf(pool: Pool | undefined): PoolDraft {
  if (!pool) return { name: "", settings: { targets: [{ url: "http://127.0.0.1:3000" }] } };
  return { name: pool.name, settings: isObject(pool.settings) ? pool.settings : {} };
}

export function PoolForm({ pool, submitLabel, onSubmit, pending, error, onReload, readOnly }: Props) {
  const body = useRef<HTMLFormElement>(null);
  const { name, settings } = draftOf(pool);
  const form = useForm({
    initialValues: { name, settings: pretty(settings) },
    validate: { name: badName, settings: unreadable },
  });
  const focusWrong = useComplaints({ error, fields: FIELDS, name: form.values.name, form, body });
  const submit = form.onSubmit((values) => {
    const read = parseObject(values.settings);
    if ("object" in read) onSubmit({ name: values.name.trim(), settings: read.object });
  }, focusWrong);
  return (
    <form ref={body} onSubmit={submit} noValidate>
      <Stack>
        <Section title="About">
          <TextInput
            label="Name"
            description="By which routes name it: letters, digits, - and _"
            required
            maw={420}
            readOnly={readOnly}
            {...form.getInputProps("name")}
          />
        </Section>
        <Section
          title="What it says"
          lead="Without “reach”: “anywhere”, only servers at public addresses are connected to."
        >
          <JsonEditor
            label="Settings"
            help="Its targets, and what differs from the defaults of balance, health, timeouts, retry, ejection, tls and so on."
            example='{"targets": [{"url": "http://10.0.0.7:3000", "weight": 2}], "reach": "anywhere", "health": {"path": "/healthz"}}'
            minRows={8}
            value={form.values.settings}
            onChange={(text) => form.setFieldValue("settings", text)}
            error={form.errors.settings}
            readOnly={readOnly}
          />
        </Section>
        {!!error && <ErrorPanel error={error} onRetry={statusOf(error) === 412 ? onReload : undefined} />}
        {!readOnly && (
          <Group justify="flex-end">
            <Button type="submit" loading={pending}>
              {submitLabel}
            </Button>
          </Group>
        )}
      </Stack>
    </form>
  );
}
