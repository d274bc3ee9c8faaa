/** Every screen is a URL; each is loaded when it is first opened. */
import type { QueryClient } from "@tanstack/react-query";
import { createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { searchOf } from "../lists/search";
import { DetailSkeleton } from "../ui/query-view";
import { BASE } from "./base";
import { documentRoutes } from "./document-routes";
import { edgeRoutes } from "./edge-routes";
import { NotFound, ScreenError } from "./fallbacks";
import { app, root } from "./root-route";

const setup = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  component: lazyRouteComponent(() => import("../screens/setup/setup-screen"), "SetupScreen"),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: searchOf("next", "to"),
  component: lazyRouteComponent(() => import("../screens/sign-in/sign-in-screen"), "SignInScreen"),
});

const invitation = createRoute({
  getParentRoute: () => root,
  path: "/invitation",
  component: lazyRouteComponent(() => import("../screens/invitation/invitation-screen"), "InvitationScreen"),
});

const home = createRoute({
  getParentRoute: () => app,
  path: "/",
  component: lazyRouteComponent(() => import("../screens/home/home-screen"), "HomeScreen"),
});

const tenants = createRoute({
  getParentRoute: () => app,
  path: "/tenants",
  validateSearch: searchOf("state", "sort"),
  component: lazyRouteComponent(() => import("../screens/tenants/tenants-screen"), "TenantsScreen"),
});

const tenant = createRoute({
  getParentRoute: () => app,
  path: "/tenants/$id",
  component: lazyRouteComponent(() => import("../screens/tenants/tenant-screen"), "TenantScreen"),
});

const members = createRoute({
  getParentRoute: () => app,
  path: "/members",
  validateSearch: searchOf("sort"),
  component: lazyRouteComponent(() => import("../screens/members/members-screen"), "MembersScreen"),
});

const invitations = createRoute({
  getParentRoute: () => app,
  path: "/members/invitations",
  validateSearch: searchOf("state", "sort"),
  component: lazyRouteComponent(() => import("../screens/members/invitations-screen"), "InvitationsScreen"),
});

const roles = createRoute({
  getParentRoute: () => app,
  path: "/roles",
  validateSearch: searchOf("sort"),
  component: lazyRouteComponent(() => import("../screens/roles/roles-screen"), "RolesScreen"),
});

const newRole = createRoute({
  getParentRoute: () => app,
  path: "/roles/new",
  component: lazyRouteComponent(() => import("../screens/roles/new-role-screen"), "NewRoleScreen"),
});

const role = createRoute({
  getParentRoute: () => app,
  path: "/roles/$id",
  component: lazyRouteComponent(() => import("../screens/roles/role-screen"), "RoleScreen"),
});

const domains = createRoute({
  getParentRoute: () => app,
  path: "/domains",
  validateSearch: searchOf("state", "sort"),
  component: lazyRouteComponent(() => import("../screens/domains/domains-screen"), "DomainsScreen"),
});

const domain = createRoute({
  getParentRoute: () => app,
  path: "/domains/$id",
  component: lazyRouteComponent(() => import("../screens/domains/domain-screen"), "DomainScreen"),
});

const apiKeys = createRoute({
  getParentRoute: () => app,
  path: "/api-keys",
  validateSearch: searchOf("sort"),
  component: lazyRouteComponent(() => import("../screens/api-keys/api-keys-screen"), "ApiKeysScreen"),
});

const sessions = createRoute({
  getParentRoute: () => app,
  path: "/sessions",
  validateSearch: searchOf("of", "sort"),
  component: lazyRouteComponent(() => import("../screens/sessions/sessions-screen"), "SessionsScreen"),
});

const audit = createRoute({
  getParentRoute: () => app,
  path: "/audit",
  validateSearch: searchOf("actor", "action", "outcome", "since", "until", "sort", "entry"),
  component: lazyRouteComponent(() => import("../screens/audit/audit-screen"), "AuditScreen"),
});

const jobs = createRoute({
  getParentRoute: () => app,
  path: "/jobs",
  validateSearch: searchOf("state", "queue", "sort"),
  component: lazyRouteComponent(() => import("../screens/jobs/jobs-screen"), "JobsScreen"),
});

const job = createRoute({
  getParentRoute: () => app,
  path: "/jobs/$id",
  component: lazyRouteComponent(() => import("../screens/jobs/job-screen"), "JobScreen"),
});

const apiPage = createRoute({
  getParentRoute: () => app,
  path: "/api",
  component: lazyRouteComponent(() => import("../screens/api/api-screen"), "ApiScreen"),
});

const account = createRoute({
  getParentRoute: () => app,
  path: "/account",
  component: lazyRouteComponent(() => import("../screens/account/account-screen"), "AccountScreen"),
});

const routeTree = root.addChildren([
  setup,
  signIn,
  invitation,
  app.addChildren([
    home,
    tenants,
    tenant,
    members,
    invitations,
    roles,
    newRole,
    role,
    domains,
    domain,
    apiKeys,
    sessions,
    audit,
    ...edgeRoutes,
    jobs,
    job,
    apiPage,
    account,
    ...documentRoutes,
  ]),
]);

export function createAppRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree,
    basepath: BASE,
    context: { queryClient },
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    defaultPendingComponent: DetailSkeleton,
    defaultErrorComponent: ScreenError,
    defaultNotFoundComponent: NotFound,
    scrollRestoration: true,
  });
}

export type AppRouter = ReturnType<typeof createAppRouter>;

declare module "@tanstack/react-router" {
  interface Register {
    router: AppRouter;
  }
}
