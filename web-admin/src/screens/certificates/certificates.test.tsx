import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { Certificate, CertificateStep } from "../../api/types";
import { renderConsole } from "../../test/render";
import { json, me, serve } from "../../test/server";

const AT = "2026-01-01T00:00:00.000000Z";
const NAME = "shop.example.com";
const issued: Certificate = {
  name: NAME,
  tenant_id: "ten_1",
  status: "issued",
  issuer: "letsencrypt",
  not_before: AT,
  expires_at: AT,
  renew_at: AT,
  next_look_at: AT,
};
const failed: Certificate = {
  ...issued,
  status: "failed",
  issuer: null,
  failure: {
    code: "edge.connection_problem",
    sentence: "The CA could not connect to the address that the name has.",
    evidence: "192.0.2.1: Connection refused",
    mend: "Let the name point here (AAAA too), and open ports 80 and 443 in the firewall.",
    at: AT,
    next_try_at: AT,
  },
};
const step: CertificateStep = { number: 1, at: AT, status: "ordering", sentence: "An order is placed." };

const BASE = {
  "GET /api/v1/identity/me": () => json(me(["edge.certificates.read", "edge.certificates.write"])),
  [`GET /api/v1/edge/certificates/${NAME}/steps`]: () => json({ items: [step], next: null }),
};

test("an empty list says where certificates come from", async () => {
  serve({ ...BASE, "GET /api/v1/edge/certificates": () => json({ items: [], next: null }) });
  renderConsole("/certificates");

  expect(await screen.findByText(/A verified domain gets one by itself/)).toBeInTheDocument();
});

test("a failure says what to do, and can be tried again", async () => {
  const server = serve({
    ...BASE,
    [`GET /api/v1/edge/certificates/${NAME}`]: () => json(failed),
    [`POST /api/v1/edge/certificates/${NAME}/renew`]: () => json({ ...failed, status: "pending" }, 202),
  });
  renderConsole(`/certificates/${NAME}`);

  expect(await screen.findByText(/open ports 80 and 443/)).toBeInTheDocument();
  expect(screen.getByText("192.0.2.1: Connection refused")).toBeInTheDocument();
  expect(await screen.findByText("An order is placed.")).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Try again now" }));
  const dialog = await screen.findByRole("dialog");
  await userEvent.click(within(dialog).getByRole("button", { name: "Try again now" }));

  expect(await screen.findByText("It is being tried again.")).toBeInTheDocument();
  expect(server.to(`POST /api/v1/edge/certificates/${NAME}/renew`)).toHaveLength(1);
});

test("who may not renew is not offered it", async () => {
  serve({
    ...BASE,
    "GET /api/v1/identity/me": () => json(me(["edge.certificates.read"])),
    [`GET /api/v1/edge/certificates/${NAME}`]: () => json(issued),
  });
  renderConsole(`/certificates/${NAME}`);

  expect(await screen.findByText("letsencrypt")).toBeInTheDocument();
  expect(screen.queryByRole("button", { name: "Renew now" })).not.toBeInTheDocument();
});
