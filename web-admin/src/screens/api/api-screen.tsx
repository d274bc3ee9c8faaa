import { Button, Group, SimpleGrid } from "@mantine/core";
import { BookOpen, ExternalLink, FileJson, Waypoints } from "lucide-react";
import { Page } from "../../ui/page";
import { Section } from "../../ui/section";
import { Sample } from "./sample";
import { samples } from "./samples";

const PLACES = [
  {
    title: "REST reference",
    lead: "Every operation, with its fields and errors. Try it out as who you are now.",
    href: "/docs",
    icon: BookOpen,
  },
  {
    title: "GraphQL explorer",
    lead: "The same operations as one graph, with completion and history.",
    href: "/graphiql",
    icon: Waypoints,
  },
  {
    title: "OpenAPI document",
    lead: "To generate a client from.",
    href: "/openapi.json",
    icon: FileJson,
  },
];

/** Where a programmer starts. */
export function ApiScreen() {
  return (
    <Page title="API" lead="All that this console does goes through the public API.">
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        {PLACES.map(({ title, lead, href, icon: Icon }) => (
          <Section key={href} title={title} lead={lead}>
            <Group mt="auto">
              <Button
                component="a"
                href={href}
                target="_blank"
                rel="noreferrer"
                variant="default"
                leftSection={<Icon size={15} aria-hidden />}
                rightSection={<ExternalLink size={13} aria-label="opens in a new tab" />}
              >
                Open {href}
              </Button>
            </Group>
          </Section>
        ))}
      </SimpleGrid>
      <Section title="From the command line" lead="Make an API key first, and put it into HOLDFAST_KEY.">
        {samples(window.location.origin).map(({ title, command }) => (
          <Sample key={title} title={title} command={command} />
        ))}
      </Section>
    </Page>
  );
}
