import { useMemo } from "react";
import { splitMarks, type Span } from "../api/bytes";
import classes from "./marked-text.module.css";

/** Text as it is, with the spans that matter marked. */
export function MarkedText({ text, spans }: { text: string; spans: Span[] }) {
  const pieces = useMemo(() => splitMarks(text, spans), [text, spans]);
  return (
    <div className={classes.text}>
      {pieces.map((piece, index) =>
        piece.marked ? (
          <mark key={index} className={classes.mark}>
            {piece.text}
          </mark>
        ) : (
          <span key={index}>{piece.text}</span>
        ),
      )}
    </div>
  );
}
