/** A password to be chosen, with the rules beside it and whether they are met. */
import { Group, PasswordInput, Stack, Text, type PasswordInputProps } from "@mantine/core";
import { Check, Dot } from "lucide-react";

export const MIN_PASSWORD = 15;

/** Code points, as the server counts. */
function characters(text: string): number {
  return Array.from(text).length;
}

export function passwordProblem(password: string): string | null {
  return characters(password) < MIN_PASSWORD ? `Use at least ${MIN_PASSWORD} characters.` : null;
}

export function NewPassword({ label = "Password", ...input }: PasswordInputProps) {
  const length = characters(String(input.value ?? ""));
  return (
    <Stack gap={6}>
      <PasswordInput label={label} autoComplete="new-password" required {...input} />
      <Stack gap={2}>
        <Rule met={length >= MIN_PASSWORD}>
          At least {MIN_PASSWORD} characters ({length} so far)
        </Rule>
        <Rule>Any characters, spaces too: a few unrelated words are good</Rule>
        <Rule>Not a well-known or leaked password</Rule>
      </Stack>
    </Stack>
  );
}

function Rule({ met, children }: { met?: boolean; children: React.ReactNode }) {
  const Mark = met ? Check : Dot;
  return (
    <Group gap={6} wrap="nowrap" c={met ? "var(--holdfast-ok)" : "dimmed"}>
      <Mark size={14} aria-hidden style={{ flex: "none" }} />
      <Text size="sm">{children}</Text>
    </Group>
  );
}
