import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = process.env.HOLDFAST_URL ?? "http://127.0.0.1:8080";
const page = (name: string) => `${import.meta.dirname}/${name}.html`;

export default defineConfig({
  base: "/console/",
  plugins: [react()],
  build: {
    target: "es2022",
    rollupOptions: {
      input: { console: page("index"), docs: page("docs"), graphiql: page("graphiql") },
    },
    chunkSizeWarningLimit: 1600,
    reportCompressedSize: false,
  },
  server: {
    proxy: Object.fromEntries(["/api", "/graphql", "/openapi.json"].map((path) => [path, server])),
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: "src/test/setup.ts",
    css: false,
    testTimeout: 30_000,
    restoreMocks: true,
    unstubGlobals: true,
  },
});
