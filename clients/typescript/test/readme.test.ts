import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { eventually, Record } from "./support/record.js";
import { token } from "./support/server.js";
import { World } from "./support/world.js";
import WebSocket from "ws";

const root = fileURLToPath(new URL("../../", import.meta.url));

test("the code of the README compiles, and does what it says", async (t) => {
  const world = await World.make();
  t.after(() => world.end());
  const anna = await token("customer", "anna");
  const record = new Record();
  const told: string[] = [];
  const { run } = await import(pathToFileURL(await compile()).href);
  pretendToBeAPage();
  const start = new Date(Date.now() + 3_600_000);
  const surroundings = {
    baseUrl: world.line.url,
    getToken: () => anna,
    start,
    end: new Date(start.getTime() + 3_600_000),
    show: () => told.push("booked"),
    offerAnotherTime: () => told.push("taken"),
    explain: assert.fail,
    showAll: (bookings: unknown[]) => told.push(`${bookings.length} listed`),
    update: (_: string, type: string) => {
      if (enough) throw new Error("enough");
      record.event({ type } as never);
    },
  };
  let enough = false;
  const page = () => assert.rejects(run(surroundings), /enough/);
  const pages = [page()];
  await eventually("a list", () => told.length === 2);
  await world.book();
  await record.until("an event", ({ events }) => events.length === 1);
  pages.push(page());
  await eventually("a refusal", () => told.length === 3);
  assert.deepEqual(told, ["booked", "1 listed", "taken"]);
  enough = true;
  await world.book();
  await Promise.all(pages);
});

/** Puts the block into a function that is given what it does not define. */
async function compile(): Promise<string> {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const [, code] = /```ts\n([^]*?)```/.exec(readme)!;
  const [, imports, body] = /^((?:import .*\n)+)([^]*)$/.exec(code!)!;
  const folder = await mkdtemp(join(root, "build/readme-"));
  const given = `{ baseUrl, getToken, start, end, show, offerAnotherTime, explain, showAll, update }`;
  const types = `{ baseUrl: string; getToken: GetToken; start: Date; end: Date; show(booking?: Booking): void; offerAnotherTime(): void;
    explain(reason: string, fields: readonly FieldViolation[]): void; showAll(bookings: Booking[]): void;
    update(id: string, type: string, data: object): void }`;
  const text = `import type { Booking, FieldViolation, GetToken } from "@bookings/client";\n${imports}
export async function run(${given}: ${types}): Promise<void> {\n${body}}\n`;
  await writeFile(join(folder, "readme.ts"), text);
  const compilerOptions = { rootDir: ".", outDir: "." };
  const config = { extends: "../../tsconfig.json", compilerOptions, files: ["readme.ts"], include: [] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder], { stdio: "inherit" });
  return join(folder, "readme.js");
}

/** Node 20 lacks what the code takes from the page. */
function pretendToBeAPage(): void {
  const kept = new Map<string, string>();
  const localStorage = { getItem: (name: string) => kept.get(name) ?? null, setItem: (name: string, value: string) => void kept.set(name, value) };
  Object.assign(globalThis, { WebSocket, localStorage });
}
