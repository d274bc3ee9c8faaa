import { Button, Checkbox, Select, Text, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import type { PurgeAnswers } from "../../api/types";
import { FormDialog } from "../../ui/form-dialog";

/** Purges what the cache keeps: a place, a URL, what carries a surrogate key, or everything. */
export function PurgeCache() {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button variant="default" onClick={() => setAsking(true)}>
        Purge the cache
      </Button>
      {asking && <PurgeDialog onClose={() => setAsking(false)} />}
    </>
  );
}

const WAYS = [
  { value: "place", label: "By host and path" },
  { value: "url", label: "One URL" },
  { value: "keys", label: "By surrogate key" },
  { value: "everything", label: "Everything" },
];

function PurgeDialog({ onClose }: { onClose: () => void }) {
  const [form, setForm] = useState({ way: "place", host: "", prefix: "", url: "", keys: "", soft: false });
  const [wrong, setWrong] = useState<string>();
  const set = (change: Partial<typeof form>) => {
    setWrong(undefined);
    setForm({ ...form, ...change });
  };
  const purge = useAction({
    run: (body: PurgeAnswers, headers) => ask(api.POST("/api/v1/edge/cache/purge", { body, headers })),
    onSuccess: ({ answers }) => {
      notifications.show({ message: told(answers, form.soft), color: "teal" });
      onClose();
    },
  });
  const submit = () => {
    const [what, fault] = asked(form);
    setWrong(fault);
    if (what) purge.mutate({ ...what, soft: form.soft });
  };
  const text = (name: "host" | "prefix" | "url" | "keys", label: string, description: string) => (
    <TextInput
      label={label}
      description={description}
      error={name === "host" ? undefined : wrong}
      value={form[name]}
      onChange={(event) => set({ [name]: event.currentTarget.value })}
    />
  );
  return (
    <FormDialog
      opened
      title="Purge the cache"
      onClose={onClose}
      onSubmit={submit}
      submitLabel="Purge"
      pending={purge.isPending}
      error={purge.error}
    >
      <Text size="md">
        The services are asked again for what is purged. All servers of this installation follow within a second.
      </Text>
      <Select
        label="What to purge"
        data={WAYS}
        value={form.way}
        allowDeselect={false}
        data-autofocus
        onChange={(way) => set({ way: way ?? "place" })}
      />
      {form.way === "place" && (
        <>
          {text("host", "Host", "With its port where it has one, such as shop.example. Empty for all hosts.")}
          {text("prefix", "Path begins with", "Such as /shop/. Empty for all paths.")}
        </>
      )}
      {form.way === "url" && text("url", "URL", "Whole, such as https://shop.example/item?id=7.")}
      {form.way === "keys" &&
        text("keys", "Surrogate keys", "As services name them in Surrogate-Key or Cache-Tag, parted by spaces.")}
      <Checkbox
        label="Keep as stale"
        description="Shown while the service is asked again, where the route or the answer allows it."
        checked={form.soft}
        onChange={(event) => set({ soft: event.currentTarget.checked })}
      />
    </FormDialog>
  );
}

/** What to ask for, or what is wrong with it. */
function asked(form: { way: string; host: string; prefix: string; url: string; keys: string }):
  | [PurgeAnswers, undefined]
  | [undefined, string] {
  const [host, prefix, url] = [form.host.trim(), form.prefix.trim(), form.url.trim()];
  if (form.way === "everything") return [{ everything: true }, undefined];
  if (form.way === "url") {
    return /^https?:\/\/./.test(url) ? [{ url }, undefined] : [undefined, "A URL begins with https:// or http://."];
  }
  if (form.way === "keys") {
    const keys = form.keys.split(/\s+/).filter((key) => key !== "");
    return keys.length > 0 ? [{ keys }, undefined] : [undefined, "Name one key at least."];
  }
  if (prefix !== "" && !prefix.startsWith("/")) return [undefined, "A path begins with a slash."];
  if (host === "" && prefix === "") return [{ everything: true }, undefined];
  return [{ host: host || undefined, prefix: prefix || undefined }, undefined];
}

function told(answers: number, soft: boolean): string {
  if (answers === 0) return "Nothing like this was kept.";
  if (soft) return answers === 1 ? "1 answer counts as stale." : `${answers} answers count as stale.`;
  return answers === 1 ? "1 answer is gone." : `${answers} answers are gone.`;
}
