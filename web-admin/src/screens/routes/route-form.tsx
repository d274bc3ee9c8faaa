import { Button, Group, NumberInput, Stack, Switch, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useRef } from "react";
import { statusOf } from "../../api/problem";
import type { Route } from "../../api/types";
import { ErrorPanel } from "../../ui/error-panel";
import { Notice } from "../../ui/notice";
import { Section } from "../../ui/section";
import { CommonCase } from "./common-case";
import { JsonEditor } from "./json-editor";
import {
  badName,
  FIELDS,
  readValues,
  unreadable,
  valuesOf,
  type RouteDraft,
  type RouteValues,
} from "./route-values";
import { useComplaints } from "./use-complaints";
import { takesTheConsole } from "./words";

interface Props {
  route?: Route;
  submitLabel: string;
  onSubmit: (draft: RouteDraft) => void;
  pending: boolean;
  error: unknown;
  onReload?: () => void;
  readOnly?: boolean;
}

const EDITOR = {
  match: {
    label: "Match",
    help: "Which requests: hosts, path (exact, prefix or pattern), methods, headers, clients. What is left out is no condition.",
    example: '{"hosts": ["shop.example"], "path": {"prefix": "/shop"}, "methods": ["GET"]}',
  },
  action: {
    label: "Action",
    help: "What is done: its kind is module, upstream, files, redirect or respond, with what belongs to it.",
    example: '{"kind": "redirect", "to": "https://new.example{path}", "status": 308}',
  },
  modifiers: {
    label: "Modifiers",
    help: "How: rewrite, limits, cache, basic_auth, cors, compression, request_headers and so on.",
    example: '{"rewrite": {"strip_prefix": "/shop"}, "limits": {"max_body_bytes": 1000000}, "cache": {}}',
  },
};

export function RouteForm({ route, submitLabel, onSubmit, pending, error, onReload, readOnly }: Props) {
  const body = useRef<HTMLFormElement>(null);
  const form = useForm<RouteValues>({
    initialValues: valuesOf(route),
    validate: { name: badName, match: unreadable, action: unreadable, modifiers: unreadable },
  });
  const { values } = form;
  const draft = readValues(values);
  const focusWrong = useComplaints({ error, fields: FIELDS, name: values.name, form, body });
  const change = (member: "match" | "action" | "modifiers") => (text: string) =>
    form.setFieldValue(member, text);
  const submit = form.onSubmit((sent) => {
    const read = readValues(sent);
    if (read) onSubmit(read);
  }, focusWrong);
  return (
    <form ref={body} onSubmit={submit} noValidate>
      <Stack>
        <Section title="About">
          <TextInput
            label="Name"
            description="In logs, figures and problems: letters, digits, - and _"
            required
            maw={420}
            readOnly={readOnly}
            {...form.getInputProps("name")}
          />
          <NumberInput
            label="Priority"
            description="The higher goes first; among equals the narrower one"
            maw={420}
            allowDecimal={false}
            min={-2_147_483_648}
            max={2_147_483_647}
            readOnly={readOnly}
            hideControls
            {...form.getInputProps("priority")}
          />
          <Switch
            label="On"
            description="A route that is off is checked, and never chosen"
            disabled={readOnly}
            {...form.getInputProps("enabled", { type: "checkbox" })}
          />
        </Section>
        {!readOnly && (
          <CommonCase
            match={values.match}
            action={values.action}
            onMatch={change("match")}
            onAction={change("action")}
          />
        )}
        <Section title="What it says">
          {(["match", "action", "modifiers"] as const).map((member) => (
            <JsonEditor
              key={member}
              {...EDITOR[member]}
              value={values[member]}
              onChange={change(member)}
              error={form.errors[member]}
              readOnly={readOnly}
            />
          ))}
        </Section>
        {draft?.enabled && takesTheConsole(draft.match, draft.action, window.location.hostname) && (
          <Notice tone="warn" role="status" title="This takes every request here, the console’s too">
            Name a host or a path in the match, or this console and the API can’t be reached at{" "}
            {window.location.hostname} any more.
          </Notice>
        )}
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
