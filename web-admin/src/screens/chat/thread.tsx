import { Stack, Text, VisuallyHidden } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api, ask, ifMatch } from "../../api/client";
import type { Conversation, Message, NewMessage } from "../../api/types";
import { usePermissions } from "../../session/permissions";
import { ErrorPanel } from "../../ui/error-panel";
import { ScreenLink } from "../../ui/screen-link";
import type { OpenPassage } from "../vault/passage-drawer";
import { AnswerView, LiveAnswerView } from "./answer-view";
import { leafBelow } from "./branches";
import { Composer, scopeOf, type Scope } from "./composer";
import type { ModelChoice } from "./model-picker";
import { answerQuery } from "./queries";
import { Question } from "./question";
import { useAnswer } from "./use-answer";

const route = getRouteApi("/app/chat/$id");

interface Props {
  conversation: string;
  /** The conversation while it has no title: its first question becomes that. */
  untitled: Conversation | null;
  branch: Message[];
  /** The message from which the ones before these can be read. */
  earlier: string | null;
  onOpen: (passage: OpenPassage) => void;
}

export function Thread({ conversation, untitled, branch, earlier, onOpen }: Props) {
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const can = usePermissions();
  const [scope, setScope] = useState<Scope>({ search: true, collections: [] });
  const [model, setModel] = useState<ModelChoice>(null);
  const [switchError, setSwitchError] = useState<unknown>(null);
  const { running, ended, error, send, listen, stop } = useAnswer(conversation);
  const last = branch.at(-1);
  useResume(last, running !== null, listen);

  const askNext = (content: string, place: Partial<NewMessage>) => {
    const asked = send({ content, ...place, ...scopeOf(scope), ...model });
    void navigate({ search: {}, replace: true });
    if (untitled)
      void giveTitle(untitled, content).then(() => client.invalidateQueries({ queryKey: ["conversations"] }));
    return asked;
  };
  const askAgain = (content: string, { parent }: Message) =>
    void askNext(content, parent ? { parent } : { from_start: true });
  const mayAsk = can("chat.write") && !running;
  const questionOf = ({ parent }: Message) => branch.find(({ id }) => id === parent);
  const switchTo = async (message: string) => {
    setSwitchError(null);
    try {
      const leaf = await leafBelow(client, conversation, message);
      void navigate({ search: { leaf }, replace: true });
    } catch (thrown) {
      setSwitchError(thrown);
    }
  };
  // While a question is asked anew, what followed its first wording is another branch.
  const shown = running?.question ? until(branch, running.question.parent ?? null) : branch;
  const settled = running
    ? shown.filter(
        ({ id, answer, role }) => id !== "" && !(role === "assistant" && answer === running.answer.id),
      )
    : shown;
  return (
    <Stack>
      {earlier && (
        <ScreenLink to="/chat/$id" params={{ id: conversation }} search={{ leaf: earlier }}>
          Earlier messages
        </ScreenLink>
      )}
      {settled.length === 0 && !running && (
        <Text c="dimmed">Ask about your documents. The answer names the passages that it rests on.</Text>
      )}
      <Stack gap="md" role="log" aria-label="Messages" aria-live="off">
        {settled.map((message) =>
          message.role === "user" ? (
            <Question
              key={message.id}
              message={message}
              onEdit={mayAsk ? (content) => askAgain(content, message) : undefined}
              onSwitch={(sibling) => void switchTo(sibling)}
            />
          ) : (
            <AnswerView
              key={message.id}
              message={message}
              live={ended.get(message.answer ?? "")}
              onAskAgain={mayAsk ? again(questionOf(message), askAgain) : undefined}
              onSwitch={(sibling) => void switchTo(sibling)}
              onOpen={onOpen}
            />
          ),
        )}
        {running?.question && !settled.some(({ answer }) => answer && answer === running.answer.id) && (
          <Question content={running.question.content} />
        )}
        {running && <LiveAnswerView answer={running.answer} stop={stop} onOpen={onOpen} />}
      </Stack>
      <VisuallyHidden role="status">{running ? "An answer is being written." : ""}</VisuallyHidden>
      {error !== null && <ErrorPanel error={error} />}
      {switchError !== null && <ErrorPanel error={switchError} />}
      {can("chat.write") && (
        <Composer
          busy={running !== null}
          scope={scope}
          onScope={setScope}
          model={model}
          onModel={setModel}
          onSend={(content) => askNext(content, last ? { parent: last.id } : {})}
        />
      )}
    </Stack>
  );
}

/** The same question once more, as a branch beside the first try. */
function again(question: Message | undefined, ask: (content: string, question: Message) => void) {
  return question && (() => ask(question.content, question));
}

/** After a reload, an answer that is still being written is listened to from its beginning. */
function useResume(last: Message | undefined, running: boolean, listen: (answer: string) => void): void {
  const id = last?.answer ?? null;
  const answer = useQuery({ ...answerQuery(id ?? ""), enabled: id !== null && !running });
  const open = answer.data?.state === "running" && answer.data.id === id && !running ? id : null;
  useEffect(() => {
    if (open) listen(open);
  }, [open, listen]);
}

function until(branch: Message[], parent: string | null): Message[] {
  return branch.slice(0, branch.findIndex(({ id }) => id === parent) + 1);
}

const TITLE_LETTERS = 80;

/** Best effort: a conversation without a title works as well. */
async function giveTitle(conversation: Conversation, question: string): Promise<void> {
  const letters = Array.from(question.replace(/\s+/g, " ").trim());
  const title =
    letters.length > TITLE_LETTERS ? `${letters.slice(0, TITLE_LETTERS - 1).join("")}…` : letters.join("");
  await ask(
    api.PATCH("/api/v1/chat/conversations/{id}", {
      params: { path: { id: conversation.id } },
      body: { title },
      headers: ifMatch(conversation),
    }),
  ).catch(() => undefined);
}
