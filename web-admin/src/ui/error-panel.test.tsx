import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { ApiError } from "../api/problem";
import { renderPiece } from "../test/render";
import { ErrorPanel } from "./error-panel";

const PROBLEM = {
  type: "about:blank",
  title: "Conflict",
  status: 409,
  code: "tenancy.slug_taken",
  detail: "The slug is taken.",
  request_id: "req-42",
  errors: [],
  retryable: false,
};

test("shows the sentence, the code and the request id, which can be copied", async () => {
  const user = userEvent.setup();
  renderPiece(<ErrorPanel error={new ApiError(PROBLEM)} />);

  const alert = screen.getByRole("alert");
  expect(alert).toHaveTextContent("The slug is taken.");
  expect(alert).toHaveTextContent("tenancy.slug_taken");
  expect(alert).toHaveTextContent("req-42");
  await user.click(screen.getByRole("button", { name: "Copy request id" }));
  expect(await navigator.clipboard.readText()).toBe("req-42");
});

test("names the fields that were refused", () => {
  const errors = [{ path: "/slug", code: "taken", detail: "Choose another." }];
  renderPiece(<ErrorPanel error={new ApiError({ ...PROBLEM, errors })} />);

  expect(screen.getByRole("listitem")).toHaveTextContent("/slug Choose another.");
});

test("a stale change offers to reload", async () => {
  const reload = vi.fn();
  renderPiece(<ErrorPanel error={new ApiError({ ...PROBLEM, status: 412 })} onRetry={reload} />);

  await userEvent.click(screen.getByRole("button", { name: "Reload" }));

  expect(screen.getByRole("alert")).toHaveTextContent("Changed meanwhile");
  expect(reload).toHaveBeenCalledOnce();
});
