import { Code, Text } from "@mantine/core";
import { pretty } from "../../api/json";
import classes from "./value.module.css";

/** A value of a record as people read it: words as they are, lists with commas, all else as JSON. */
export function Value({ value, short }: { value: unknown; short?: boolean }) {
  if (value === undefined || value === null || value === "") return <>–</>;
  if (typeof value === "boolean") return <>{value ? "yes" : "no"}</>;
  if (typeof value === "number") return <>{value}</>;
  if (typeof value === "string")
    return (
      <Text span inherit className={classes.text} lineClamp={short ? 2 : undefined}>
        {value}
      </Text>
    );
  if (Array.isArray(value) && value.every((item) => typeof item === "string" || typeof item === "number"))
    return value.length > 0 ? <>{value.join(", ")}</> : <>–</>;
  return short ? (
    <>{Array.isArray(value) ? `${value.length} entries` : "…"}</>
  ) : (
    <Code block className={classes.json}>
      {pretty(value)}
    </Code>
  );
}
