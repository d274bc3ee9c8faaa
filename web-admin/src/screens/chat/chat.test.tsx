import { cleanup, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { Answer, Conversation, Message } from "../../api/types";
import { renderConsole } from "../../test/render";
import { json, me, problem, serve } from "../../test/server";

const AT = "2026-01-01T00:00:00.000000Z";

const conversation: Conversation = {
  id: "cnv_1",
  title: "Knots",
  messages: 2,
  created_at: AT,
  updated_at: AT,
  version: 1,
};

const message = (given: Partial<Message>): Message => ({
  id: "msg_1",
  role: "user",
  content: "Which knot?",
  position: 1,
  parent: null,
  answer: "ans_1",
  citations: [],
  siblings: [given.id ?? "msg_1"],
  withheld: false,
  created_at: AT,
  ...given,
});

const reply = (given: Partial<Message> = {}) =>
  message({
    id: "msg_2",
    role: "assistant",
    content: "The bowline.",
    position: 2,
    parent: "msg_1",
    ...given,
  });

const answer = (given: Partial<Answer>): Answer => ({
  id: "ans_1",
  conversation: "cnv_1",
  question: "msg_1",
  message: "msg_2",
  state: "done",
  created_at: AT,
  ...given,
});

const why = (code: string) => ({ code, detail: `The reason of ${code}.` });

const base = (items: Message[], state: Partial<Answer>, permissions = ["chat.read", "chat.write"]) => ({
  "GET /api/v1/identity/me": () => json(me(permissions)),
  "GET /api/v1/chat/conversations/cnv_1": () => json(conversation),
  "GET /api/v1/chat/conversations/cnv_1/messages": () => json({ items, next: null }),
  "GET /api/v1/chat/answers/ans_1": () => json(answer(state)),
});

const sse = (...events: [string, unknown][]) =>
  new Response(
    events
      .map(([name, data], at) => `id: ans_1:${at + 1}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
      .join(""),
    { headers: { "Content-Type": "text/event-stream" } },
  );

const ENDINGS: [Partial<Answer>, Partial<Message>, RegExp][] = [
  [{ state: "interrupted" }, {}, /Interrupted/],
  [{ state: "stopped" }, {}, /Stopped/],
  [{ state: "failed" }, { content: "" }, /No answer/],
  [{ state: "done", provider: "extractive" }, { withheld: true, content: "" }, /Revoked/],
  [{ state: "done", provider: "extractive" }, {}, /no model answered/],
  [{ state: "done", provider: "Acme", model: "small" }, {}, /answered by Acme with small/],
  [{ state: "done", provider: "Acme", reason: why("chat.nothing_cited") }, {}, /No evidence/],
  [
    { state: "failed", reason: why("chat.providers_failed") },
    { content: "" },
    /The reason of chat\.providers_failed/,
  ],
  [{ state: "interrupted", reason: why("chat.interrupted") }, {}, /The reason of chat\.interrupted/],
];

test.each(ENDINGS)(
  "how an answer ended and who wrote it are told in words: %o",
  async (state, given, said) => {
    serve(base([message({}), reply(given)], state));
    renderConsole("/chat/cnv_1");

    expect((await screen.findAllByText(said)).length).toBeGreaterThan(0);
  },
);

test("an answer that is still being written is listened to again after a reload", async () => {
  let running = true;
  const server = serve({
    ...base([message({})], {}),
    "GET /api/v1/chat/answers/ans_1": () => json(answer({ state: running ? "running" : "done" })),
    "GET /api/v1/chat/answers/ans_1/events": () => {
      running = false;
      return sse(
        ["passages", { passages: [], rung: "text" }],
        ["token", { text: "The bowline." }],
        ["done", {}],
      );
    },
    "GET /api/v1/chat/conversations/cnv_1/messages": () =>
      json({ items: running ? [message({})] : [message({}), reply()], next: null }),
  });
  renderConsole("/chat/cnv_1");

  expect(await screen.findByRole("article", { name: "Answer" })).toHaveTextContent("The bowline.");
  expect(server.to("GET /api/v1/chat/answers/ans_1/events")).toHaveLength(1);
  expect(screen.getAllByRole("article", { name: "Question" })).toHaveLength(1);
});

test("a question names what it follows and where to look; a reworded one begins a branch", async () => {
  const server = serve({
    ...base([message({}), reply()], {}),
    "POST /api/v1/chat/conversations/cnv_1/messages": () => sse(["done", {}]),
  });
  renderConsole("/chat/cnv_1");
  await userEvent.type(await screen.findByLabelText("Your question"), "And a bend?{Enter}");
  await screen.findByRole("button", { name: "Edit" });
  await userEvent.click(screen.getByLabelText("Search documents"));
  await userEvent.click(screen.getByRole("button", { name: "Edit" }));
  await userEvent.type(screen.getByLabelText("The question in other words"), " Tell me.");
  await userEvent.click(screen.getByRole("button", { name: "Ask in a new branch" }));
  await screen.findByRole("button", { name: "Edit" });

  const asked = server.to("POST /api/v1/chat/conversations/cnv_1/messages");
  expect(await Promise.all(asked.map((request) => request.json()))).toEqual([
    { content: "And a bend?", parent: "msg_2" },
    { content: "Which knot? Tell me.", from_start: true, collections: [] },
  ]);
});

test("a question names the provider and the model that were chosen", async () => {
  const provider = { id: "prv_1", name: "Acme", models: ["small", "large"], position: 1, enabled: true };
  const server = serve({
    ...base([], {}, ["chat.read", "chat.write", "chat.providers.read"]),
    "GET /api/v1/chat/providers": () => json({ items: [provider], next: null }),
    "POST /api/v1/chat/conversations/cnv_1/messages": () => sse(["done", {}]),
  });
  renderConsole("/chat/cnv_1");
  const question = await screen.findByLabelText("Your question");
  const choose = async (label: string) => {
    await userEvent.click(await screen.findByRole("combobox", { name: "Answered by" }));
    await userEvent.click(await screen.findByText(label));
  };
  const asked = async (times: number) => {
    await userEvent.type(question, "?{Enter}");
    const sent = () => server.to("POST /api/v1/chat/conversations/cnv_1/messages");
    await waitFor(() => expect(sent()).toHaveLength(times));
    return (await sent().at(-1)?.json()) as unknown;
  };
  await choose("large");
  expect(await asked(1)).toEqual({ content: "?", provider: "prv_1", model: "large" });
  await choose("The first that answers");
  expect(await asked(2)).toEqual({ content: "?" });
});

test("a question that was refused stays in its field, with the reason", async () => {
  serve({
    ...base([message({}), reply()], {}),
    "POST /api/v1/chat/conversations/cnv_1/messages": () =>
      problem({ status: 422, code: "chat.refused", detail: "Too many answers are being written." }),
  });
  renderConsole("/chat/cnv_1");
  await userEvent.type(await screen.findByLabelText("Your question"), "And a bend?{Enter}");

  expect(await screen.findByRole("alert")).toHaveTextContent("Too many answers are being written.");
  await waitFor(() => expect(screen.getByLabelText("Your question")).toHaveValue("And a bend?"));
});

test("a question whose answer failed is asked again beside the first try", async () => {
  const server = serve({
    ...base([message({}), reply({ content: "" })], { state: "failed" }),
    "POST /api/v1/chat/conversations/cnv_1/messages": () => sse(["done", {}]),
  });
  renderConsole("/chat/cnv_1");
  await userEvent.click(await screen.findByRole("button", { name: "Ask again" }));

  const asked = server.to("POST /api/v1/chat/conversations/cnv_1/messages");
  expect(await asked[0]?.json()).toEqual({ content: "Which knot?", from_start: true });
});

test("an answer without documents behind it that was asked for without any says nothing about evidence", async () => {
  serve(base([message({}), reply()], { provider: "Acme", reason: null }));
  renderConsole("/chat/cnv_1");

  expect(await screen.findByText(/answered by Acme/)).toBeInTheDocument();
  expect(screen.queryByText("No evidence")).not.toBeInTheDocument();
});

test("another wording leads to the end of its own branch, also after a reload", async () => {
  const first = [message({ siblings: ["msg_1", "msg_3"] }), reply()];
  const other = [
    message({ id: "msg_3", content: "Which bend?", siblings: ["msg_1", "msg_3"], answer: "ans_1" }),
    reply({ id: "msg_4", parent: "msg_3", content: "The sheet bend." }),
    message({ id: "msg_5", content: "And then?", parent: "msg_4", siblings: ["msg_5"] }),
    reply({ id: "msg_6", parent: "msg_5", content: "The carrick bend." }),
  ];
  const server = serve({
    ...base(first, {}),
    "GET /api/v1/chat/conversations/cnv_1/messages": (request) => {
      const asked = new URL(request.url).searchParams;
      const items = asked.get("through") === "msg_3" || asked.get("leaf") === "msg_6" ? other : first;
      return json({ items, next: null });
    },
  });
  const router = renderConsole("/chat/cnv_1");
  await userEvent.click(await screen.findByRole("button", { name: "Later branch" }));
  expect(await screen.findByText("The carrick bend.")).toBeInTheDocument();
  expect(router.state.location.search).toEqual({ leaf: "msg_6" });
  expect(server.to("GET /api/v1/chat/conversations/cnv_1/messages")).toHaveLength(3);

  cleanup();
  renderConsole("/chat/cnv_1?leaf=msg_6");
  expect(await screen.findByText("The carrick bend.")).toBeInTheDocument();
});

test("who may only read sees no place to ask", async () => {
  serve(base([message({}), reply()], {}, ["chat.read"]));
  renderConsole("/chat/cnv_1");

  expect(await screen.findByText("The bowline.")).toBeInTheDocument();
  expect(screen.queryByLabelText("Your question")).not.toBeInTheDocument();
  expect(screen.queryByRole("button", { name: "Edit" })).not.toBeInTheDocument();
});
