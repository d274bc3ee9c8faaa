import { Button, Group, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { fieldErrors } from "../../api/problem";
import type { Role } from "../../api/types";
import { useMe } from "../../session/me";
import { ErrorPanel } from "../../ui/error-panel";
import { PermissionPicker } from "../../ui/permission-picker";
import { QueryView } from "../../ui/query-view";
import { Section } from "../../ui/section";
import { permissionsQuery } from "./permissions-query";

export interface RoleValues {
  name: string;
  description: string;
  permissions: string[];
}

interface Props {
  role?: Role;
  submitLabel: string;
  onSubmit: (values: RoleValues) => void;
  pending: boolean;
  error: unknown;
  onReload?: () => void;
  readOnly?: boolean;
}

export function RoleForm({ role, submitLabel, onSubmit, pending, error, onReload, readOnly }: Props) {
  const me = useMe();
  const catalogue = useQuery(permissionsQuery);
  const form = useForm<RoleValues>({
    initialValues: {
      name: role?.name ?? "",
      description: role?.description ?? "",
      permissions: role?.permissions ?? [],
    },
    validate: { name: (name) => (name.trim() ? null : "Give the role a name.") },
  });
  const { setErrors } = form;
  useEffect(() => setErrors(fieldErrors(error)), [error, setErrors]);
  return (
    <form onSubmit={form.onSubmit(onSubmit)} noValidate>
      <Stack>
        <Section title="About">
          <TextInput label="Name" required maw={420} readOnly={readOnly} {...form.getInputProps("name")} />
          <TextInput
            label="Description"
            maw={420}
            readOnly={readOnly}
            {...form.getInputProps("description")}
          />
        </Section>
        <Section title="Permissions" lead={`${form.values.permissions.length} chosen`}>
          <QueryView query={catalogue}>
            {({ items }) => (
              <PermissionPicker
                permissions={items}
                held={me.permissions}
                readOnly={readOnly}
                value={form.values.permissions}
                onChange={(permissions) => form.setFieldValue("permissions", permissions)}
              />
            )}
          </QueryView>
        </Section>
        {!!error && <ErrorPanel error={error} onRetry={onReload} />}
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
