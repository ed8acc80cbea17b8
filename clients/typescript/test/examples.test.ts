import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { cp, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium, type Page } from "playwright-core";
import WebSocket from "ws";
import { database } from "./support/database.js";
import { findChromium } from "./support/chromium.js";
import { eventually } from "./support/record.js";
import { Server, token } from "./support/server.js";
import { World } from "./support/world.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const examples = join(root, "../../examples");
const docs = join(root, "../../docs");
const executablePath = findChromium();

/** A folder of this package, so that what is in it finds the package by its name; Go would take its files for its own. */
async function copy(example: string): Promise<string> {
  const folder = await mkdtemp(join(root, "build/example-"));
  await cp(join(examples, example), folder, { recursive: true, filter: (path) => !path.endsWith(".go") });
  return folder;
}

/** Compiles a file in its folder; without output where it is only to be checked. */
function compile(folder: string, file: string, emit: boolean): void {
  const out = emit ? ["--outDir", folder] : ["--noEmit"];
  const options = ["--ignoreConfig", "--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck", "--rootDir", folder, ...out];
  const types = emit ? ["--types", "node"] : ["--lib", "es2022,dom,dom.iterable", "--types", ""];
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, ...options, ...types, join(folder, file)], { cwd: folder, stdio: "inherit" });
}

/** The command with which a page of the docs builds something. */
async function command(page: string, beginning: string): Promise<string[]> {
  const text = await readFile(join(docs, page), "utf8");
  const line = text.split("\n").find((line) => line.startsWith(beginning));
  assert.ok(line, `${page} has no ${beginning}`);
  return line.split(" ").slice(1);
}

/** Serves a folder as the only origin that a server of its own allows, and opens its page as anna. */
async function openPage(t: TestContext): Promise<{ page: Page; server: Server; restart(): Promise<void> }> {
  const folder = await copy("page");
  const files = createServer(async (request, response) => {
    const name = request.url === "/" ? "index.html" : "page.js";
    response.setHeader("Content-Type", name === "index.html" ? "text/html" : "text/javascript");
    response.end(await readFile(join(folder, name)));
  });
  await new Promise<void>((resolve) => files.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(files.address() as AddressInfo).port}`;
  const databaseURL = await database();
  let server = await Server.start(databaseURL, { ALLOWED_ORIGINS: origin });
  const port = server.port;
  await build(folder, `http://127.0.0.1:${port}`);
  const browser = await chromium.launch({ executablePath: executablePath!, chromiumSandbox: process.getuid?.() !== 0 });
  t.after(async () => {
    await browser.close();
    files.close();
    await server.kill();
  });
  const page = await browser.newPage({ timezoneId: "Europe/Vienna" });
  await page.goto(`${origin}/#${await token("customer", "anna")}`);
  const restart = async () => {
    await server.stop();
    await says(page, "#line", /Cut off/);
    server = await Server.start(databaseURL, { ALLOWED_ORIGINS: origin, ADDR: `127.0.0.1:${port}` });
  };
  return { page, server, restart };
}

/** Builds the page by the command of the docs, with the server of the test in place of the one that they name. */
async function build(folder: string, server: string): Promise<void> {
  const source = await readFile(join(folder, "page.ts"), "utf8");
  assert.equal(source.split("http://localhost:8080").length, 2, "the page names its server once");
  compile(folder, "page.ts", false);
  await writeFile(join(folder, "page.ts"), source.replace("http://localhost:8080", server));
  const [program, ...rest] = await command("build.md", "npx esbuild page.ts");
  assert.equal(program, "esbuild");
  const building = rest.filter((option) => !option.startsWith("--serve"));
  execFileSync(join(root, "node_modules/.bin/esbuild"), [...building, "--log-level=warning"], { cwd: folder, stdio: "inherit" });
}

/** Waits until a part of the page says something. */
async function says(page: Page, part: string, text: RegExp): Promise<void> {
  await page.locator(part).filter({ hasText: text }).waitFor({ timeout: 60_000 });
}

async function book(page: Page, start: string): Promise<void> {
  await page.fill("[name=start]", start);
  await page.click("button");
}

const skip = executablePath === undefined && "there is no Chromium on PATH: the page is not opened";

describe("the page of docs/build.md", { skip }, () => {
  test("lists, books, says that a time is taken, and follows along, also over a restart", async (t) => {
    const { page, server, restart } = await openPage(t);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    await says(page, "#line", /^Live$/);
    const day = `${new Date().getFullYear() + 1}-06-01`;
    await book(page, `${day}T09:00`);
    await says(page, "#answer", /^Booked\.$/);
    await says(page, "#bookings li", /with bob: pending$/);
    await book(page, `${day}T09:30`);
    await says(page, "#answer", /^That time is taken\. Choose another\.$/);

    const bob = await token("provider", "bob");
    const call = async (path: string, body: object, port = server.port) => {
      const headers = { Authorization: `Bearer ${bob}`, "Content-Type": "application/json" };
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
      assert.equal(answer.status, 200, await answer.clone().text());
      return (await answer.json()).booking;
    };
    const { id } = await call("/v1/bookings", { customerId: "anna", startTime: `${day}T20:00:00Z`, endTime: `${day}T21:00:00Z` });
    await says(page, "#bookings li >> nth=1", /with bob: confirmed$/);
    await restart();
    await call(`/v1/bookings/${id}:cancel`, {});
    await says(page, "#bookings li >> nth=1", /with bob: cancelled$/);
    assert.equal(await page.locator("#bookings li").count(), 2);
    await page.reload();
    await says(page, "#bookings li >> nth=1", /with bob: cancelled$/); // listed
    assert.deepEqual(complaints, []);
  });
});

test("the program of docs/streams.md in TypeScript lists, and follows", async (t) => {
  const world = await World.make();
  t.after(() => world.end());
  await world.book();
  const folder = await copy("follow");
  compile(folder, "follow.ts", true);
  const env = { URL: world.line.url, TOKEN: await token("customer", "anna") };
  const follower = spawn(process.execPath, [join(folder, "follow.js")], { env, stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => follower.kill("SIGKILL"));
  let said = "";
  follower.stdout.on("data", (text) => (said += text));
  await eventually("a list", () => said.includes("1 bookings so far\n"));
  const id = await world.book();
  await eventually("an event", () => said.includes(`2 booking.created ${id}\n`));
});

test("the WebSocket of docs/streams.md brings what comes after the last event", async (t) => {
  const world = await World.make();
  t.after(() => world.end());
  const [, code] = /```js\n([^]*?)```/.exec(await readFile(join(docs, "streams.md"), "utf8"))!;
  assert.equal(code!.split("wss://api.example.com").length, 2);
  const here = code!.replace("wss://api.example.com", world.line.url.replace("http", "ws"));
  const handled: { sequence: string; subject: string }[] = [];
  const open = new Function("WebSocket", "token", "handle", "last", `${here}; return socket;`);
  const follow = (last: object) => open(WebSocket, world.benToken, (event: (typeof handled)[0]) => handled.push(event), last) as WebSocket;
  const first = await world.book();
  const socket = follow({ sequence: 0, id: "" });
  await eventually("an event", () => handled.length === 1);
  socket.close();
  const second = await world.book();
  t.after(() => again.close());
  const again = follow(handled[0]!);
  await eventually("the next event", () => handled.length === 2);
  assert.deepEqual(handled.map(({ subject }) => subject), [first, second]);
});
