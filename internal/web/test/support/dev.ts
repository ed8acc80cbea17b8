import { spawn } from "node:child_process";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after } from "node:test";
import { program } from "../../../../clients/typescript/test/support/program.js";

/** A running `bookings dev`, with a PostgreSQL of its own. */
export interface Dev {
  readonly url: string;
  /** What it signs tokens with. */
  readonly secret: string;
}

let running: Promise<Dev & { stop(): Promise<void> }> | undefined;
after(async () => (await running)?.stop());

/** The one that most tests share, each with people of its own. */
export function dev(): Promise<Dev> {
  return (running ??= start());
}

async function start(): Promise<Dev & { stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "bookings-page-"));
  await chmod(folder, 0o755); // for root, PostgreSQL runs under another account
  const { PATH = "", HOME = "" } = process.env;
  const env = { PATH, HOME, ADDR: "127.0.0.1:0", RATE_LIMIT_RPM: "0", LOG_LEVEL: "error" };
  const child = spawn(program("bookings"), ["dev", "--dir", folder], { env, stdio: ["ignore", "pipe", "pipe"] });
  process.on("exit", () => child.kill("SIGTERM")); // it does not outlive us, whatever happens here
  const ended = new Promise((resolve) => child.on("exit", resolve));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true });
  };
  let said = "";
  child.stderr.on("data", (text) => (said += text));
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^Open (\S+) /.exec(line)?.[1];
    if (url) return { url, secret: JSON.parse(await readFile(join(folder, "dev.json"), "utf8")).secret, stop };
  }
  await stop();
  throw new Error(`bookings dev did not start: ${said}`);
}
