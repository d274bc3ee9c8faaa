/** Starts the built binary on free ports with a fresh data folder, and stops it after the tests. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const START_MS = 60_000;
/** The largest document that the server takes, small enough to be exceeded by a test. */
export const MOST_BYTES = 4 * 1024 * 1024;

export default async function start(): Promise<() => Promise<void>> {
  const binary = process.env.HOLDFAST_BIN;
  if (!binary) throw new Error("Set HOLDFAST_BIN to the built holdfast binary.");
  const folder = await mkdtemp(join(tmpdir(), "holdfast-e2e-"));
  const listeners = ["--http", "--https", "--ops"].flatMap((flag) => [flag, "127.0.0.1:0"]);
  const server = spawn(binary, ["serve", "--data", folder, ...listeners], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      HOLDFAST__VAULT__MAX_DOCUMENT_BYTES: String(MOST_BYTES),
      // Nobody outside of this machine is asked for a domain.
      HOLDFAST__TENANCY__DOMAINS__RESOLVERS: '["127.0.0.1:9"]',
    },
  });
  const log = createWriteStream(join(folder, "server.log"));
  server.stdout.pipe(log);
  server.stderr.pipe(log);
  const stop = async () => {
    if (server.exitCode === null && server.kill("SIGTERM")) await once(server, "exit");
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const setupUrl = await setupLink(folder, server);
    process.env.HOLDFAST_E2E_URL = new URL(setupUrl).origin;
    process.env.HOLDFAST_E2E_SETUP_URL = setupUrl;
    process.env.HOLDFAST_E2E_STATE = join(folder, "operator.json");
    return stop;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The link for the first operator, out of the file that the server writes once it listens. */
async function setupLink(folder: string, server: ChildProcess): Promise<string> {
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline && server.exitCode === null) {
    const text = await readFile(join(folder, "holdfast.addresses.json"), "utf8").catch(() => null);
    if (text !== null) {
      const { setup_url } = JSON.parse(text) as { setup_url: string | null };
      if (setup_url === null) throw new Error("The server has its first operator already.");
      return setup_url;
    }
    await pause(50);
  }
  throw new Error(`The server did not start:\n${await readFile(join(folder, "server.log"), "utf8")}`);
}
