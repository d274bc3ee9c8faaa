/** The frame around every signed-in screen. */
import { AppShell, Burger, Drawer, Group } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link, Outlet } from "@tanstack/react-router";
import { Logo } from "../ui/logo";
import { AccountMenu } from "./account-menu";
import { Navigation } from "./navigation";
import { SchemeToggle } from "./scheme-toggle";
import classes from "./shell.module.css";
import { TenantName } from "./tenant-name";
import { useFocusOnNavigation } from "./use-focus-on-navigation";

export function Shell() {
  const [opened, drawer] = useDisclosure(false);
  useFocusOnNavigation();
  return (
    <AppShell header={{ height: 52 }} navbar={{ width: 216, breakpoint: "sm", collapsed: { mobile: true } }}>
      <a className={classes.skip} href="#main">
        Skip to the content
      </a>
      <AppShell.Header className={classes.bar}>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap" gap="xs">
          <Group gap="sm" wrap="nowrap" miw={0}>
            <Burger
              hiddenFrom="sm"
              size="sm"
              opened={opened}
              onClick={drawer.toggle}
              aria-label="Menu"
              aria-expanded={opened}
            />
            <Link to="/" className={classes.home} aria-label="Holdfast, home">
              <Logo compact />
            </Link>
            <TenantName />
          </Group>
          <Group gap={6} wrap="nowrap">
            <SchemeToggle />
            <AccountMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" className={classes.bar} visibleFrom="sm" style={{ overflowY: "auto" }}>
        <Navigation />
      </AppShell.Navbar>
      <Drawer opened={opened} onClose={drawer.close} title={<Logo />} size={260} hiddenFrom="sm">
        <Navigation onNavigate={drawer.close} />
      </Drawer>
      <AppShell.Main id="main" tabIndex={-1} className={classes.main}>
        <div className={classes.content}>
          <Outlet />
        </div>
      </AppShell.Main>
    </AppShell>
  );
}
