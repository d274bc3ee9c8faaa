import { Button, Group, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { useAction } from "../../api/action";
import { api, ask, ifMatch } from "../../api/client";
import type { Account } from "../../api/types";
import { ErrorPanel } from "../../ui/error-panel";
import { Section } from "../../ui/section";

export function Profile({ account }: { account: Account }) {
  const [name, setName] = useState(account.display_name);
  const save = useAction({
    run: (body: { display_name: string }, headers) =>
      ask(api.PATCH("/api/v1/identity/me", { body, headers: { ...headers, ...ifMatch(account) } })),
    changes: [["me"]],
    done: "Saved.",
  });
  return (
    <Section title="Profile">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate({ display_name: name.trim() });
        }}
      >
        <Stack>
          <Group align="flex-end" gap="xs">
            <TextInput
              label="Name"
              autoComplete="name"
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              w={{ base: "100%", xs: 320 }}
            />
            <Button type="submit" loading={save.isPending}>
              Save
            </Button>
          </Group>
          {save.error && <ErrorPanel error={save.error} />}
        </Stack>
      </form>
    </Section>
  );
}
