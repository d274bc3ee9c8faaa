import { Anchor, Text, UnstyledButton } from "@mantine/core";
import type { Citation } from "../../api/types";
import type { OpenPassage } from "../vault/passage-drawer";
import { splitCitations } from "./citations";
import classes from "./message.module.css";

interface Props {
  text: string;
  citations: Citation[];
  onOpen: (passage: OpenPassage) => void;
}

/** An answer's text, whose numbers open the passages that they name. */
export function CitedText({ text, citations, onOpen }: Props) {
  const byNumber = new Map(citations.map((citation) => [citation.number, citation]));
  const pieces = splitCitations(text, new Set(byNumber.keys()));
  return (
    <Text size="md" component="div" className={classes.text}>
      {pieces.map((piece, index) => {
        if ("text" in piece) return <span key={index}>{piece.text}</span>;
        const citation = byNumber.get(piece.number);
        return (
          citation && (
            <UnstyledButton
              key={index}
              className={classes.citation}
              aria-label={`Citation ${piece.number}: ${citation.name}`}
              onClick={() => onOpen(passageOf(citation))}
            >
              {piece.number}
            </UnstyledButton>
          )
        );
      })}
    </Text>
  );
}

/** The documents that an answer rests on. */
export function Sources({ citations, onOpen }: Omit<Props, "text">) {
  if (citations.length === 0) return null;
  return (
    <div>
      <Text size="sm" c="dimmed" fw={600} mb={4}>
        Sources
      </Text>
      <ol className={classes.sources}>
        {citations.map((citation) => (
          <li key={citation.number}>
            <Text size="sm">
              {citation.number}{" "}
              <Anchor
                component="button"
                type="button"
                inherit
                ta="start"
                onClick={() => onOpen(passageOf(citation))}
              >
                {citation.name}
              </Anchor>
            </Text>
          </li>
        ))}
      </ol>
    </div>
  );
}

function passageOf({ document, version, start, end, name }: Citation): OpenPassage {
  return { document, version, from: start, to: end, name };
}
