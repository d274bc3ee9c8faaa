import { TextInput } from "@mantine/core";
import { useState } from "react";

interface Props {
  label: string;
  placeholder?: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

/** A text filter that applies on Enter or when it is left, not with each key. */
export function LazyText({ value = "", ...props }: Props) {
  return <Draft key={value} value={value} {...props} />;
}

function Draft({ label, placeholder, value, onChange }: Props) {
  const [text, setText] = useState(value ?? "");
  const apply = () => {
    if (text.trim() !== value) onChange(text.trim() || undefined);
  };
  return (
    <TextInput
      label={label}
      placeholder={placeholder}
      size="sm"
      w={{ base: "100%", xs: 172 }}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={apply}
      onKeyDown={(event) => event.key === "Enter" && apply()}
    />
  );
}
