import { Code, Text } from "@mantine/core";
import { isObject, type JsonObject } from "../../api/json";
import type { RouteVerdict } from "../../api/types";
import { DataTable, type Column } from "../../ui/data-table";
import { Facts } from "../../ui/facts";
import { Notice } from "../../ui/notice";
import { ScreenLink } from "../../ui/screen-link";
import { Section } from "../../ui/section";
import { size } from "../../ui/size";
import { Status } from "../../ui/status";
import { candidatesOf, whyInWords, type Candidate } from "./trial";
import { actionInWords, text, texts } from "./words";

export function Verdict({ verdict }: { verdict: RouteVerdict }) {
  const { route, outcome } = verdict;
  return (
    <>
      <Section title="What would happen">
        {route && isObject(outcome) ? (
          <Outcome route={route} outcome={outcome} />
        ) : (
          <Notice tone="idle" title="No route takes it">
            It goes to Holdfast itself.
          </Notice>
        )}
      </Section>
      <Candidates candidates={candidatesOf(verdict)} />
    </>
  );
}

function Outcome({ route, outcome }: { route: string; outcome: JsonObject }) {
  const kind = isObject(outcome.action) ? outcome.action.kind : undefined;
  const before = hurdles(outcome);
  const goesOn = kind === "upstream" || kind === "module" || kind === "files";
  return (
    <Facts
      items={{
        Route: <RouteName name={route} />,
        "What is done": actionInWords(outcome.action),
        "Goes on as": goesOn && (text(outcome.target) ? <Code>{text(outcome.target)}</Code> : NO_PATH),
        Location: text(outcome.location) && <Code>{text(outcome.location)}</Code>,
        "From the path": pairs(outcome.parameters)
          .map(([name, value]) => `${name} = ${value}`)
          .join(", "),
        Before: before.length > 0 && before.map((each) => <div key={each}>{each}</div>),
        "Body at most": limit(outcome, "max_body_bytes", size),
        "Answer within": limit(outcome, "timeout_seconds", (seconds) => `${seconds} s`),
        Cache: outcome.cached === true ? "the answer may come from the cache, and be kept there" : null,
        "Under load": outcome.shedding === "normal" ? null : text(outcome.shedding),
        "Headers as they go on": headerLines(outcome),
      }}
    />
  );
}

const NO_PATH = "The rewrite makes no path of it, so the answer is 400.";

/** What stands between the request and what is done, in the order in which it is met. */
function hurdles(outcome: JsonObject): string[] {
  const asks = (what: unknown, words: string) => (what ? [words] : []);
  const { require: asked, forward_auth: other, rate_limits: rates } = outcome;
  return [
    ...asks(outcome.admitted_by_address === false, "Refused with 403: this address may not ask."),
    ...asks(outcome.client_certificate, "Refused with 403 unless the client shows a certificate."),
    ...asks(outcome.in_maintenance, "Answered with 503: the route is in maintenance."),
    ...asks(outcome.is_preflight, "Answered at the edge: it is a CORS preflight."),
    ...asks(outcome.basic_auth, "Refused with 401 unless name and password are right."),
    ...(isObject(other) ? [`Asked about at ${text(other.url)} first.`] : []),
    ...asks(asked, "Refused unless Holdfast knows the caller."),
    ...texts(rates).map((rate) => `Counted by the limit ${rate}.`),
  ];
}

function limit(outcome: JsonObject, name: string, say: (value: number) => string): string | null {
  const value = isObject(outcome.limits) ? outcome.limits[name] : null;
  return typeof value === "number" ? say(value) : null;
}

function headerLines({ request_headers }: JsonObject) {
  const lines = pairs(request_headers).map(([name, value]) => `${name}: ${value}`);
  if (lines.length === 0) return null;
  return (
    <Code block style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
      {lines.join("\n")}
    </Code>
  );
}

function pairs(value: unknown): [string, string][] {
  const found = Array.isArray(value) ? value.filter((pair): pair is unknown[] => Array.isArray(pair)) : [];
  return found.map(([name, of]) => [text(name), text(of)]);
}

const COLUMNS: Column<Candidate>[] = [
  { header: "Route", render: ({ id }) => <RouteName name={id} /> },
  { header: "Priority", numeric: true, render: ({ priority }) => priority },
  {
    header: "Takes it",
    render: ({ chosen }) => <Status tone={chosen ? "ok" : "idle"}>{chosen ? "yes" : "no"}</Status>,
  },
  { header: "Why", render: whyInWords },
];

function Candidates({ candidates }: { candidates: Candidate[] }) {
  return (
    <Section
      title="Why this one"
      lead="The routes in force in the order in which they are asked, those of the file included. Those that are off are not asked."
    >
      {candidates.length > 0 ? (
        <DataTable caption="Candidates" columns={COLUMNS} rows={candidates} rowKey={({ id }) => id} />
      ) : (
        <Text c="dimmed">No route is in force.</Text>
      )}
    </Section>
  );
}

/** By its name only: a route may stand in the file. */
function RouteName({ name }: { name: string }) {
  return (
    <ScreenLink to="/routes" search={{ name }} inherit>
      {name}
    </ScreenLink>
  );
}
