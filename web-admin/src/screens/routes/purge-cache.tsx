import { Button, Text, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { useAction } from "../../api/action";
import { api, ask } from "../../api/client";
import { FormDialog } from "../../ui/form-dialog";

/** Drops what the cache keeps, of one host or of all. */
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

function PurgeDialog({ onClose }: { onClose: () => void }) {
  const [host, setHost] = useState("");
  const [prefix, setPrefix] = useState("");
  const [wrong, setWrong] = useState(false);
  const purge = useAction({
    run: (query: { host?: string; prefix?: string }, headers) =>
      ask(api.DELETE("/api/v1/edge/cache", { params: { query }, headers })),
    onSuccess: ({ answers }) => {
      notifications.show({ message: gone(answers), color: "teal" });
      onClose();
    },
  });
  const submit = () => {
    const [from, below] = [host.trim(), prefix.trim()];
    const bad = below !== "" && !below.startsWith("/");
    setWrong(bad);
    if (!bad) purge.mutate({ host: from || undefined, prefix: below || undefined });
  };
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
        Answers that are kept are dropped, and the services are asked again. This is about the server that
        answers you; others keep what they have.
      </Text>
      <TextInput
        label="Host"
        description="With its port where it has one, such as shop.example. Empty for all hosts."
        data-autofocus
        value={host}
        onChange={(event) => setHost(event.currentTarget.value)}
      />
      <TextInput
        label="Path begins with"
        description="Such as /shop/. Empty for all paths."
        error={wrong && "A path begins with a slash."}
        value={prefix}
        onChange={(event) => setPrefix(event.currentTarget.value)}
      />
    </FormDialog>
  );
}

function gone(answers: number): string {
  if (answers === 0) return "Nothing like this was kept.";
  return answers === 1 ? "1 answer is gone." : `${answers} answers are gone.`;
}
