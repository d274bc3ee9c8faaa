import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./facts.module.css";

/** Names and values, side by side where there is room. Facts without a value are left out. */
export function Facts({ items }: { items: Record<string, ReactNode> }) {
  const known = Object.entries(items).filter(
    ([, value]) => value !== null && value !== undefined && value !== "",
  );
  return (
    <dl className={classes.facts}>
      {known.map(([name, value]) => (
        <div key={name} className={classes.fact}>
          <Text component="dt" size="sm" c="dimmed">
            {name}
          </Text>
          <Text component="dd" size="md" m={0}>
            {value}
          </Text>
        </div>
      ))}
    </dl>
  );
}
