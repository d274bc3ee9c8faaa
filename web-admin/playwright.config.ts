import { defineConfig, devices } from "@playwright/test";

const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export default defineConfig({
  testDir: "e2e",
  globalSetup: "./e2e/server.ts",
  // One server with one first operator: the tests run in order and share it.
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: "list",
  forbidOnly: !!process.env.CI,
  use: {
    ...devices["Desktop Chrome"],
    viewport: { width: 1280, height: 860 },
    ignoreHTTPSErrors: true,
    screenshot: "only-on-failure",
    launchOptions: { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args },
  },
  projects: [
    { name: "first start", testMatch: "first-start.ts" },
    { name: "console", testMatch: "*.spec.ts", dependencies: ["first start"] },
  ],
});
