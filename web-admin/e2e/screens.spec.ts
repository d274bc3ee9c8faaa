import { expectAccessible, expectNoSidewaysScroll, settled, test } from "./test";
import { picture, use, VARIANTS } from "./variants";

const SCREENS = {
  home: "/console/",
  vault: "/console/vault",
  "all-documents": "/console/vault/documents",
  search: "/console/knowledge?query=anchor",
  reading: "/console/knowledge/reading",
  chat: "/console/chat",
  providers: "/console/chat/providers",
  tenants: "/console/tenants",
  members: "/console/members",
  invitations: "/console/members/invitations",
  roles: "/console/roles",
  "new-role": "/console/roles/new",
  domains: "/console/domains",
  "api-keys": "/console/api-keys",
  sessions: "/console/sessions?of=everyone",
  audit: "/console/audit",
  routes: "/console/routes",
  "new-route": "/console/routes/new",
  "try-a-request": "/console/routes/try?host=localhost&target=/",
  pools: "/console/routes/pools",
  "new-pool": "/console/routes/pools/new",
  traffic: "/console/traffic",
  limits: "/console/limits",
  jobs: "/console/jobs",
  api: "/console/api",
  account: "/console/account",
  "not-found": "/console/no/such/page",
};

for (const variant of VARIANTS) {
  test(`every screen is accessible and fits at ${variant.width} px, ${variant.scheme}`, async ({ page }) => {
    test.setTimeout(300_000);
    await use(page, variant);
    for (const [name, path] of Object.entries(SCREENS)) {
      await test.step(name, async () => {
        await page.goto(path);
        await settled(page);

        await picture(page, name, variant);
        await expectNoSidewaysScroll(page);
        await expectAccessible(page);
      });
    }
  });
}
