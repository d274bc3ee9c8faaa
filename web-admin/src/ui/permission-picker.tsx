/** Permissions as checkboxes by module; what the caller does not hold cannot be given away. */
import { Checkbox, Fieldset, SimpleGrid, Text } from "@mantine/core";
import type { Permission } from "../api/types";

interface Props {
  permissions: Permission[];
  value: string[];
  onChange: (value: string[]) => void;
  /** Permissions that the caller holds, and so may grant. */
  held: string[];
  readOnly?: boolean;
}

export function PermissionPicker({ permissions, value, onChange, held, readOnly }: Props) {
  const toggle = (name: string) =>
    onChange(value.includes(name) ? value.filter((other) => other !== name) : [...value, name]);
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
      {byModule(permissions).map(([module, group]) => (
        <Fieldset key={module} legend={<Text fw={600}>{module}</Text>} p="sm">
          {group.map(({ name, description }) => (
            <Checkbox
              key={name}
              py={4}
              label={name}
              description={description}
              checked={value.includes(name)}
              disabled={readOnly || (!held.includes(name) && !value.includes(name))}
              onChange={() => toggle(name)}
            />
          ))}
        </Fieldset>
      ))}
    </SimpleGrid>
  );
}

function byModule(permissions: Permission[]): [string, Permission[]][] {
  const groups = new Map<string, Permission[]>();
  for (const permission of permissions) {
    groups.set(permission.module, [...(groups.get(permission.module) ?? []), permission]);
  }
  return [...groups];
}
