/** The screens about the edge: certificates, routes and the pools behind them, traffic and limits. */
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { searchOf } from "../lists/search";
import { app } from "./root-route";

const certificates = createRoute({
  getParentRoute: () => app,
  path: "/certificates",
  validateSearch: searchOf("name", "sort"),
  component: lazyRouteComponent(
    () => import("../screens/certificates/certificates-screen"),
    "CertificatesScreen",
  ),
});

const certificate = createRoute({
  getParentRoute: () => app,
  path: "/certificates/$name",
  component: lazyRouteComponent(
    () => import("../screens/certificates/certificate-screen"),
    "CertificateScreen",
  ),
});

const routes = createRoute({
  getParentRoute: () => app,
  path: "/routes",
  validateSearch: searchOf("name", "sort"),
  component: lazyRouteComponent(() => import("../screens/routes/routes-screen"), "RoutesScreen"),
});

const newRoute = createRoute({
  getParentRoute: () => app,
  path: "/routes/new",
  component: lazyRouteComponent(() => import("../screens/routes/new-route-screen"), "NewRouteScreen"),
});

const trial = createRoute({
  getParentRoute: () => app,
  path: "/routes/try",
  validateSearch: searchOf("method", "host", "target", "headers", "client"),
  component: lazyRouteComponent(() => import("../screens/routes/trial-screen"), "TrialScreen"),
});

const route = createRoute({
  getParentRoute: () => app,
  path: "/routes/$id",
  component: lazyRouteComponent(() => import("../screens/routes/route-screen"), "RouteScreen"),
});

const pools = createRoute({
  getParentRoute: () => app,
  path: "/routes/pools",
  validateSearch: searchOf("name", "sort"),
  component: lazyRouteComponent(() => import("../screens/pools/pools-screen"), "PoolsScreen"),
});

const newPool = createRoute({
  getParentRoute: () => app,
  path: "/routes/pools/new",
  component: lazyRouteComponent(() => import("../screens/pools/new-pool-screen"), "NewPoolScreen"),
});

const pool = createRoute({
  getParentRoute: () => app,
  path: "/routes/pools/$id",
  component: lazyRouteComponent(() => import("../screens/pools/pool-screen"), "PoolScreen"),
});

const traffic = createRoute({
  getParentRoute: () => app,
  path: "/traffic",
  validateSearch: searchOf("method", "host", "path", "status", "route", "address", "tenant", "took"),
  component: lazyRouteComponent(() => import("../screens/traffic/traffic-screen"), "TrafficScreen"),
});

const limits = createRoute({
  getParentRoute: () => app,
  path: "/limits",
  component: lazyRouteComponent(() => import("../screens/limits/limits-screen"), "LimitsScreen"),
});

export const edgeRoutes = [
  certificates,
  certificate,
  routes,
  newRoute,
  trial,
  route,
  pools,
  newPool,
  pool,
  traffic,
  limits,
] as const;
