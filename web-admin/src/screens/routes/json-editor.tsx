import { Code, Text, Textarea } from "@mantine/core";
import type { ReactNode } from "react";

interface Props {
  label: string;
  help: string;
  /** What one may write, in one line. */
  example: string;
  value: string;
  onChange: (text: string) => void;
  error?: ReactNode;
  readOnly?: boolean;
  minRows?: number;
}

/** A JSON object as its text, with what is wrong with it below. */
export function JsonEditor({ help, example, onChange, minRows = 4, ...shared }: Props) {
  return (
    <Textarea
      {...shared}
      required
      description={
        <>
          {help} Such as <Code style={{ overflowWrap: "anywhere" }}>{example}</Code>
        </>
      }
      autosize
      minRows={minRows}
      maxRows={24}
      spellCheck={false}
      styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

/** All that is wrong with one field, each on its line. */
export function Wrongs({ wrongs }: { wrongs: string[] }) {
  return wrongs.map((wrong) => (
    <Text key={wrong} span inherit display="block">
      {wrong}
    </Text>
  ));
}
