import { expect, test } from "vitest";
import { exampleOf, questionOf, whyInWords } from "./trial";
import { actionInWords, modifiersInWords, requestsInWords, takesTheConsole } from "./words";

test.each([
  [{}, "all requests"],
  [{ hosts: [], methods: [], path: null }, "all requests"],
  [{ hosts: ["shop.example"], path: { prefix: "/shop" }, methods: ["GET"] }, "shop.example /shop/* GET"],
  [{ path: { prefix: "/" } }, "/*"],
  [
    { hosts: ["a.test", "*.b.test"], path: { exact: "/a" }, methods: ["GET", "HEAD"] },
    "a.test, *.b.test /a GET, HEAD",
  ],
  [{ path: { pattern: "/a/{id}" }, clients: ["10.0.0.0/8"] }, "/a/{id} from 10.0.0.0/8"],
  [
    {
      headers: [
        { name: "X-Beta" },
        { name: "Accept", exact: "text/html" },
        { name: "Cookie", regex: "beta=1" },
      ],
    },
    "with X-Beta with Accept: text/html with Cookie like beta=1",
  ],
  ["what is no object", "all requests"],
])("requests in words: %j", (match, words) => {
  expect(requestsInWords(match)).toBe(words);
});

test.each([
  [{ kind: "module" }, "on to Holdfast"],
  [{ kind: "upstream", pool: "shop" }, "to the pool shop"],
  [{ kind: "files", folder: "/srv/www" }, "files of /srv/www"],
  [
    { kind: "redirect", to: "https://new.example{path}", status: 308 },
    "redirect to https://new.example{path} (308)",
  ],
  [{ kind: "redirect", to: "/new" }, "redirect to /new (302)"],
  [{ kind: "respond", status: 200, body: "ok" }, "fixed answer 200"],
  [{ kind: "dance" }, "dance"],
  [null, "–"],
])("what is done in words: %j", (action, words) => {
  expect(actionInWords(action)).toBe(words);
});

test("modifiers in words leave out what is not done", () => {
  const modifiers = {
    cache: {},
    basic_auth: { realm: "x" },
    rewrite: {},
    cors: null,
    client_certificate: false,
  };

  expect(modifiersInWords(modifiers)).toBe("cached, with a password, rewrite");
});

test("a route that would take the console away is told from one that leaves it", () => {
  const upstream = { kind: "upstream", pool: "shop" };

  expect(takesTheConsole({}, upstream, "a.test")).toBe(true);
  expect(takesTheConsole({ hosts: ["*.test"], path: { prefix: "/" } }, upstream, "a.test")).toBe(true);
  expect(takesTheConsole({ hosts: ["b.test"] }, upstream, "a.test")).toBe(false);
  expect(takesTheConsole({ path: { prefix: "/shop" } }, upstream, "a.test")).toBe(false);
  expect(takesTheConsole({ methods: ["TRACE"] }, upstream, "a.test")).toBe(false);
  expect(takesTheConsole({}, { kind: "module" }, "a.test")).toBe(false);
});

test("a question needs a host and a path, and its headers are lines", () => {
  expect(questionOf({ host: "a.test" })).toBeNull();
  expect(questionOf({ host: "a.test", target: "/x", headers: "Accept: a\n\n X-B: c " })).toMatchObject({
    headers: ["Accept: a", "X-B: c"],
  });
});

test("a match gives a request that it takes", () => {
  const match = { hosts: ["*.shop.example"], path: { pattern: "/a/{id}/{*rest}" }, methods: ["POST"] };

  expect(exampleOf(match)).toEqual({ method: "POST", host: "www.shop.example", target: "/a/id/rest" });
  expect(exampleOf({})).toMatchObject({ host: "localhost", target: "/" });
});

test("why a route does not take a request is told for each condition", () => {
  const why = (unmet: unknown, chosen = false) => whyInWords({ id: "a", priority: 0, chosen, unmet });

  expect(why(null, true)).toMatch(/first that matches/);
  expect(why(null)).toMatch(/another one goes first/);
  expect(["host", "path", "method"].map((condition) => why({ condition }))).toEqual([
    "It is for another host.",
    "It is for another path.",
    "It is for another method.",
  ]);
  expect(why({ condition: "header", detail: "x-beta" })).toMatch(/header x-beta is missing/);
  expect(why({ condition: "client" })).toMatch(/in none of its networks/);
  expect(why({ condition: "moon" })).toMatch(/moon/);
});
