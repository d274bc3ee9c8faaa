import { Button, Group, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { useAction } from "../../api/action";
import { api, ask, ifMatch } from "../../api/client";
import type { Tenant } from "../../api/types";
import { ErrorPanel } from "../../ui/error-panel";
import { Section } from "../../ui/section";

export function RenameTenant({ tenant, onReload }: { tenant: Tenant; onReload: () => void }) {
  const [name, setName] = useState(tenant.name);
  const rename = useAction({
    run: (body: { name: string }, headers) =>
      ask(
        api.PATCH("/api/v1/tenancy/tenants/{id}", {
          params: { path: { id: tenant.id } },
          body,
          headers: { ...headers, ...ifMatch(tenant) },
        }),
      ),
    changes: [["tenants"], ["me"]],
    done: "Renamed.",
  });
  return (
    <Section title="Name">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          rename.mutate({ name: name.trim() });
        }}
      >
        <Stack>
          <Group align="flex-end" gap="xs">
            <TextInput
              label="Name"
              required
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              w={{ base: "100%", xs: 320 }}
            />
            <Button
              type="submit"
              loading={rename.isPending}
              disabled={!name.trim() || name.trim() === tenant.name}
            >
              Rename
            </Button>
          </Group>
          {rename.error && <ErrorPanel error={rename.error} onRetry={onReload} />}
        </Stack>
      </form>
    </Section>
  );
}
