import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { Job } from "../../api/types";
import { renderConsole } from "../../test/render";
import { json, me, problem, serve } from "../../test/server";

const AT = "2026-01-01T00:00:00.000000Z";
const job = (id: string): Job => ({
  id,
  kind: `kind of ${id}`,
  queue: "default",
  state: "dead",
  attempt: 5,
  max_attempts: 5,
  priority: 0,
  run_at: AT,
  created_at: AT,
  updated_at: AT,
  version: 1,
});

const BASE = {
  "GET /api/v1/identity/me": () => json(me(["jobs.read", "jobs.write"])),
  "GET /api/v1/jobs/stats": () => json({ queues: [] }),
};

test("the state in the URL filters the list, and more is loaded by its cursor", async () => {
  const server = serve({
    ...BASE,
    "GET /api/v1/jobs": (request) => {
      const more = new URL(request.url).searchParams.has("cursor");
      return json(more ? { items: [job("job_2")], next: null } : { items: [job("job_1")], next: "c" });
    },
  });
  renderConsole("/jobs?state=dead");

  expect(await screen.findByRole("link", { name: "kind of job_1" })).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Load more" }));

  expect(await screen.findByRole("link", { name: "kind of job_2" })).toBeInTheDocument();
  const [first, second] = server.to("GET /api/v1/jobs").map((request) => new URL(request.url).searchParams);
  expect(first?.get("filter")).toBe('state eq "dead"');
  expect(second?.get("cursor")).toBe("c");
});

test("an empty list says so", async () => {
  serve({ ...BASE, "GET /api/v1/jobs": () => json({ items: [], next: null }) });
  renderConsole("/jobs?state=dead");

  expect(await screen.findByText("No job matches these filters.")).toBeInTheDocument();
});

test("a list that fails shows the error and tries again", async () => {
  let failing = true;
  serve({
    ...BASE,
    "GET /api/v1/jobs": () =>
      failing ? problem({ status: 403, code: "forbidden" }) : json({ items: [job("job_1")] }),
  });
  renderConsole("/jobs");

  expect(await screen.findByRole("alert")).toHaveTextContent("forbidden");
  failing = false;
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));

  expect(await screen.findByRole("link", { name: "kind of job_1" })).toBeInTheDocument();
});
