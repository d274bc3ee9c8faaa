/** The frame of the screens before the sign-in. */
import { Box, Center, Paper, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { ReactNode } from "react";
import { SchemeToggle } from "../app/scheme-toggle";
import classes from "./entry.module.css";
import { Logo } from "./logo";

export function Entry({ title, lead, children }: { title: string; lead: ReactNode; children: ReactNode }) {
  useDocumentTitle(`${title} · Holdfast`);
  return (
    <Box className={classes.ground}>
      <Box className={classes.toggle}>
        <SchemeToggle />
      </Box>
      <Center component="main" mih="100vh" p="md">
        <Stack w="100%" maw={400} gap="lg">
          <Center>
            <Logo />
          </Center>
          <Paper withBorder p={{ base: "md", xs: "xl" }} shadow="xs">
            <Stack>
              <div>
                <Title order={1}>{title}</Title>
                <Text c="dimmed" size="md">
                  {lead}
                </Text>
              </div>
              {children}
            </Stack>
          </Paper>
        </Stack>
      </Center>
    </Box>
  );
}
