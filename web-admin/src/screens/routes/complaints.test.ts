import { expect, test } from "vitest";
import { ApiError } from "../../api/problem";
import { complaintsOf } from "./complaints";
import { FIELDS } from "./route-values";

const refusal = (...paths: string[]) =>
  new ApiError({
    type: "about:blank",
    title: "Invalid",
    status: 400,
    code: "edge.routes_invalid",
    detail: "No.",
    retryable: false,
    errors: paths.map((path, at) => ({ path, code: "routes.x", detail: `Wrong ${at}.` })),
  });

test("each complaint goes to its field, and a field keeps all of its own", () => {
  const error = refusal(
    "match.path",
    "match.hosts[1]",
    "match",
    "action.pool",
    "modifiers.cors.origins[0]",
    "name",
  );

  expect(complaintsOf(error, FIELDS)).toEqual({
    byField: {
      match: ["path: Wrong 0.", "hosts[1]: Wrong 1.", "Wrong 2."],
      action: ["pool: Wrong 3."],
      modifiers: ["cors.origins[0]: Wrong 4."],
      name: ["Wrong 5."],
    },
    elsewhere: [],
  });
});

test("what begins with the row's own name is about the row, with another's it is not", () => {
  const error = refusal("shop.action.pool", "cart.match");

  const { byField, elsewhere } = complaintsOf(error, FIELDS, "shop");

  expect(byField).toEqual({ action: ["pool: Wrong 0."] });
  expect(elsewhere.map(({ path }) => path)).toEqual(["cart.match"]);
});

test("a name that is a field's own, and one that only begins like it, are not mistaken", () => {
  const { byField, elsewhere } = complaintsOf(refusal("match.path", "matches.path", ""), FIELDS, "match");

  expect(byField).toEqual({ match: ["path: Wrong 0."] });
  expect(elsewhere.map(({ path }) => path)).toEqual(["matches.path", ""]);
});

test("what is no answer of the server complains about nothing", () => {
  expect(complaintsOf(new Error("lost"), FIELDS)).toEqual({ byField: {}, elsewhere: [] });
});
