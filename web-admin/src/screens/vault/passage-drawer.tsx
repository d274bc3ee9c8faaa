/** A passage in its document, marked, beside whatever led to it. */
import { Drawer, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { MarkedText } from "../../ui/marked-text";
import { QueryView } from "../../ui/query-view";
import { ScreenLink } from "../../ui/screen-link";
import { passageQuery, type Passage, type Place } from "./document-text";

export interface OpenPassage extends Place {
  /** The document's name. */
  name: string;
}

export function PassageDrawer({ passage, onClose }: { passage: OpenPassage | null; onClose: () => void }) {
  return (
    <Drawer
      opened={passage !== null}
      onClose={onClose}
      position="right"
      size="lg"
      title={passage?.name ?? "Passage"}
    >
      {passage && <Body passage={passage} />}
    </Drawer>
  );
}

function Body({ passage: { document, version, from, to } }: { passage: OpenPassage }) {
  const passage = useQuery(passageQuery({ document, version, from, to }));
  return (
    <Stack>
      <ScreenLink
        to="/vault/documents/$id"
        params={{ id: document }}
        search={{ version, from: String(from), to: String(to) }}
      >
        Open the document
      </ScreenLink>
      <QueryView query={passage}>{(data) => <Shown passage={data} />}</QueryView>
    </Stack>
  );
}

function Shown({ passage }: { passage: Passage }) {
  const text = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // In braces, for newer browsers give a promise back, which is nothing to clean up by.
    text.current?.querySelector("mark")?.scrollIntoView({ block: "center" });
  }, [passage]);
  return (
    <>
      <Text size="sm" c="dimmed">
        Bytes {passage.start + passage.mark.start} to {passage.start + passage.mark.end} of {passage.total}
      </Text>
      <div ref={text}>
        {passage.start > 0 && <Text aria-hidden>…</Text>}
        <MarkedText text={passage.text} spans={[passage.mark]} />
        {passage.end < passage.total && <Text aria-hidden>…</Text>}
      </div>
    </>
  );
}
