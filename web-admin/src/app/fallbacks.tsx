import { Anchor, Box } from "@mantine/core";
import { Link, type ErrorComponentProps } from "@tanstack/react-router";
import { ErrorPanel } from "../ui/error-panel";
import { Page } from "../ui/page";

/** A screen that failed as a whole. */
export function ScreenError({ error, reset }: ErrorComponentProps) {
  return (
    <Box component="main" p="md" maw={720} mx="auto">
      <Page title="This screen could not be shown">
        <ErrorPanel error={error} onRetry={reset} />
      </Page>
    </Box>
  );
}

export function NotFound() {
  return (
    <Box component="main" p="md" maw={720} mx="auto">
      <Page title="No such page" lead="The address may be mistyped, or the page was moved.">
        <Anchor component={Link} to="/">
          Go to the start
        </Anchor>
      </Page>
    </Box>
  );
}
