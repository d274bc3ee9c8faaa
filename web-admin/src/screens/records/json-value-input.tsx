import { Textarea } from "@mantine/core";
import { useState } from "react";
import { equal, pretty } from "../../api/json";

interface Props {
  label: string;
  description?: string;
  required: boolean;
  error?: string;
  value: unknown;
  onChange: (value: unknown) => void;
  onUnreadable: (unreadable: boolean) => void;
}

/** Any JSON value as its text. What is no JSON yet stays as it is typed, and says so. */
export function JsonValueInput({ description, error, value, onChange, onUnreadable, ...shared }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const shown = draft ?? (value === undefined ? "" : pretty(value));
  const change = (text: string) => {
    const read = parsed(text);
    onUnreadable(read === null);
    setDraft(read !== null && equal(read.value, value) && text === pretty(value) ? null : text);
    if (read) onChange(read.value);
  };
  return (
    <Textarea
      {...shared}
      description={[description, 'As JSON, such as [1, 2] or "text"'].filter(Boolean).join(" · ")}
      error={draft !== null && parsed(draft) === null ? "This is not JSON yet." : error}
      autosize
      minRows={2}
      maxRows={12}
      spellCheck={false}
      styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
      value={shown}
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
}

/** The value, nothing for an empty text; null when the text is no JSON. */
function parsed(text: string): { value: unknown } | null {
  if (text.trim() === "") return { value: undefined };
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return null;
  }
}
