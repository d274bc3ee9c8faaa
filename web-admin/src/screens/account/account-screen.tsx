import { SegmentedControl, useMantineColorScheme } from "@mantine/core";
import { useMe } from "../../session/me";
import { Facts } from "../../ui/facts";
import { Page } from "../../ui/page";
import { Section } from "../../ui/section";
import { ChangePassword } from "./change-password";
import { Profile } from "./profile";

export function AccountScreen() {
  const me = useMe();
  return (
    <Page title="Account" lead={me.account?.email}>
      {me.account && <Profile key={me.account.version} account={me.account} />}
      <Section title="Access">
        <Facts
          items={{
            Tenant: `${me.tenant.name} (${me.tenant.slug})`,
            Roles: me.roles.join(", "),
            Permissions: me.permissions.join(", "),
          }}
        />
      </Section>
      {me.account && <ChangePassword email={me.account.email} />}
      <Theme />
    </Page>
  );
}

function Theme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Section title="Theme">
      <SegmentedControl
        aria-label="Theme"
        w="fit-content"
        value={colorScheme}
        onChange={(scheme) => setColorScheme(scheme)}
        data={[
          { value: "auto", label: "As the system" },
          { value: "light", label: "Light" },
          { value: "dark", label: "Dark" },
        ]}
      />
    </Section>
  );
}
