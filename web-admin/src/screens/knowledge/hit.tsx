import { Anchor, Code, Group, Text } from "@mantine/core";
import { useState } from "react";
import type { SearchHit } from "../../api/types";
import { MarkedText } from "../../ui/marked-text";
import type { OpenPassage } from "../vault/passage-drawer";
import classes from "./hit.module.css";

/** A passage that answers: where it stands, what was matched, and what each ranker thought of it. */
export function Hit({ hit, onOpen }: { hit: SearchHit; onOpen: (passage: OpenPassage) => void }) {
  const open = () =>
    onOpen({
      document: hit.document,
      version: hit.document_version,
      from: hit.start,
      to: hit.end,
      name: hit.name,
    });
  const where = [hit.heading, typeof hit.page === "number" && `page ${hit.page}`].filter(Boolean).join(" · ");
  return (
    <article className={classes.hit}>
      <Anchor component="button" type="button" onClick={open} fw={600} ta="start" className={classes.name}>
        {hit.title ?? hit.name}
      </Anchor>
      {hit.title && (
        <Text size="sm" c="dimmed">
          {hit.name}
        </Text>
      )}
      {where && (
        <Text size="sm" c="dimmed">
          {where}
        </Text>
      )}
      <Excerpt hit={hit} />
      <Group gap="xs">
        <Code title="Score">{figure(hit.score)}</Code>
        {hit.parts.map(({ ranker, rank, score, share }) => (
          <Text key={ranker} size="sm" c="dimmed">
            {ranker} #{rank}, {figure(score)} (adds {figure(share)})
          </Text>
        ))}
      </Group>
    </article>
  );
}

/** Letters of a passage that are shown before one asks for all. */
const SHORT = 420;

function Excerpt({ hit }: { hit: SearchHit }) {
  const [whole, setWhole] = useState(false);
  const long = hit.text.length > SHORT;
  return (
    <Text size="md" component="div">
      <div className={long && !whole ? classes.short : undefined}>
        <MarkedText text={hit.text} spans={hit.highlights} />
      </div>
      {long && (
        <Anchor
          component="button"
          type="button"
          size="sm"
          onClick={() => setWhole(!whole)}
          aria-expanded={whole}
        >
          {whole ? "Show less" : "Show all"}
        </Anchor>
      )}
    </Text>
  );
}

function figure(score: number): string {
  return score.toFixed(3);
}
