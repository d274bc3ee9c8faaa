import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { Domain, DomainStep } from "../../api/types";
import { renderConsole } from "../../test/render";
import { json, me, problem, serve } from "../../test/server";

const AT = "2026-01-01T00:00:00.000000Z";
const RIGHTS = ["tenancy.domains.read", "tenancy.domains.write"];

const domain = (given: Partial<Domain> = {}): Domain => ({
  id: "dom_1",
  name: "app.customer.com",
  display_name: "app.customer.com",
  status: "pending",
  ready: false,
  records: [
    { purpose: "proof", type: "TXT", name: "_holdfast.app.customer.com", value: "holdfast-verification=abc" },
    { purpose: "address", type: "CNAME", name: "app.customer.com", value: "edge.example.com" },
  ],
  proof: "wrong",
  address: "not_checked",
  caa: "ok",
  findings: [
    {
      code: "dns.proof_missing",
      sentence: "There is no TXT record with the proof.",
      evidence: ["9.9.9.9: nothing (NXDOMAIN)"],
      mend: "Add a TXT record.",
    },
  ],
  checked_at: AT,
  next_check_at: AT,
  created_at: AT,
  updated_at: AT,
  version: 3,
  ...given,
});

const step: DomainStep = {
  id: "dst_1",
  about: "domain",
  at: AT,
  last_at: AT,
  times: 4,
  status: "pending",
  sentence: "There is no TXT record with the proof.",
  code: "dns.proof_missing",
  evidence: ["9.9.9.9: nothing (NXDOMAIN)"],
  mend: "Add a TXT record.",
  next_try_at: AT,
};

const base = (given: Partial<Domain> = {}, permissions = RIGHTS) => ({
  "GET /api/v1/identity/me": () => json(me(permissions)),
  "GET /api/v1/tenancy/domains": () => json({ items: [domain(given)], next: null }),
  "GET /api/v1/tenancy/domains/dom_1": () => json(domain(given)),
  "GET /api/v1/tenancy/domains/dom_1/timeline": () => json({ items: [step], next: null }),
});

test("a domain is added, and its page tells the records and what is wrong", async () => {
  const server = serve({ ...base(), "POST /api/v1/tenancy/domains": () => json(domain(), 201) });
  renderConsole("/domains");
  expect(await screen.findByRole("row", { name: /app\.customer\.com/ })).toHaveTextContent("no TXT record");
  await userEvent.click(screen.getByRole("button", { name: "Add a domain" }));
  await userEvent.type(await screen.findByLabelText(/^Name/), "app.customer.com");
  await userEvent.click(screen.getByRole("button", { name: "Add" }));

  expect(await screen.findByRole("heading", { level: 1, name: "app.customer.com" })).toBeInTheDocument();
  expect(await server.to("POST /api/v1/tenancy/domains")[0]?.json()).toEqual({ name: "app.customer.com" });
  const records = await screen.findByRole("table", { name: "Records to set" });
  expect(within(records).getByRole("row", { name: /TXT/ })).toHaveTextContent("holdfast-verification=abc");
  expect(
    within(records).getByRole("button", { name: "Copy the value of the TXT record" }),
  ).toBeInTheDocument();
  expect(screen.getAllByText("Add a TXT record.").length).toBeGreaterThan(0);
  expect(screen.getByText("not checked: set tenancy.domains.targets")).toBeInTheDocument();
  const steps = await screen.findByRole("table", { name: "Steps" });
  expect(steps).toHaveTextContent("4 times");
});

test("a name that is refused says why at its field", async () => {
  const errors = [{ path: "name", code: "tenancy.domain_reserved", detail: "It is ours." }];
  serve({
    ...base(),
    "POST /api/v1/tenancy/domains": () => problem({ code: "tenancy.domain_reserved", errors }),
  });
  renderConsole("/domains");
  await userEvent.click(await screen.findByRole("button", { name: "Add a domain" }));
  await userEvent.type(await screen.findByLabelText(/^Name/), "x.example.com");
  await userEvent.click(screen.getByRole("button", { name: "Add" }));

  await waitFor(() => expect(screen.getByLabelText(/^Name/)).toHaveAccessibleDescription(/It is ours\./));
});

test("a check is asked for, and one that comes too soon is told so", async () => {
  let soon = false;
  const server = serve({
    ...base({ status: "verified", ready: true, findings: [] }),
    "POST /api/v1/tenancy/domains/dom_1/check": () =>
      soon
        ? problem({ status: 429, code: "tenancy.check_too_soon", detail: "Try again in 7 s." })
        : json(domain()),
  });
  renderConsole("/domains/dom_1");
  expect(await screen.findByText("Nothing is wrong")).toBeInTheDocument();
  await userEvent.click(await screen.findByRole("button", { name: "Check now" }));
  await waitFor(() => expect(server.to("POST /api/v1/tenancy/domains/dom_1/check")).toHaveLength(1));

  soon = true;
  await userEvent.click(await screen.findByRole("button", { name: "Check now" }));
  expect(await screen.findByText(/Try again in 7 s\./)).toBeInTheDocument();
});

test("a domain is released only by typing its name", async () => {
  const server = serve({
    ...base({ status: "verified", ready: true, findings: [] }),
    "DELETE /api/v1/tenancy/domains/dom_1": () => new Response(null, { status: 204 }),
  });
  renderConsole("/domains/dom_1");
  await userEvent.click(await screen.findByRole("button", { name: "Release" }));
  const dialog = await screen.findByRole("dialog");
  expect(within(dialog).getByRole("button", { name: "Release" })).toBeDisabled();
  await userEvent.type(within(dialog).getByLabelText(/to confirm/), "app.customer.com");
  await userEvent.click(within(dialog).getByRole("button", { name: "Release" }));

  await waitFor(() => expect(server.to("DELETE /api/v1/tenancy/domains/dom_1")).toHaveLength(1));
  expect(await screen.findByRole("heading", { level: 1, name: "Domains" })).toBeInTheDocument();
});

test("who may only look changes nothing, and an empty list says what to do", async () => {
  serve({
    ...base({}, ["tenancy.domains.read"]),
    "GET /api/v1/tenancy/domains": () => json({ items: [], next: null }),
  });
  renderConsole("/domains");

  expect(await screen.findByText(/No domain yet/)).toBeInTheDocument();
  expect(screen.queryByRole("button", { name: "Add a domain" })).not.toBeInTheDocument();
});
