import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import type { Page } from "playwright-core";
import { BookingService } from "@bookings/client";
import { token } from "../../../clients/typescript/test/support/server.js";
import { dev } from "./support/dev.js";
import { seen, twoPeople, type Role, type Side } from "./support/side.js";
import { asPeople, visit } from "./support/visit.js";

const run = promisify(execFile);

/** All that can be done with two bookings, yesterday and tomorrow: each method that the page calls. */
async function doEverything(page: Page, { customer, provider }: Record<Role, Side>): Promise<void> {
  await customer.book("09:00", { Note: "it's \"quoted\" $HOME `x` \\ ü" });
  await provider.booking("09:00", "to be confirmed").getByRole("button", { name: "Confirm" }).click();
  await seen(provider.booking("09:00", "confirmed"));
  await provider.booking("09:00").getByRole("button", { name: "Note" }).click();
  await provider.fill({ "Note, for both of you": "another" });
  await provider.press("Write");
  await provider.booking("09:00").filter({ hasText: "another" }).getByRole("button", { name: "Move" }).click();
  await provider.fill({ From: "10:00" });
  await provider.booking("09:00").locator("form").getByRole("button", { name: "Move" }).click();
  await customer.booking("10:00", "confirmed").getByRole("button", { name: "Cancel" }).click();
  await customer.press("Cancel the booking");
  await seen(provider.booking("10:00", "cancelled"));
  for (let days = 0; days < 2; days++) await page.getByRole("button", { name: "The day before" }).click();
  for (const [time, label, status] of [["09:00", "Took place", "took place"], ["10:00", "Did not come", "did not come"]] as const) {
    await provider.book(time);
    await provider.booking(time, "confirmed").getByRole("button", { name: label }).click();
    await seen(provider.booking(time, status));
  }
}

interface Shown {
  readonly method: string;
  readonly role: Role;
  readonly text: string;
  /** All that is seen with it. */
  readonly page: string;
}

/** Each call that the page has made, reads too, as it is shown in a spelling; one for each method and role. */
async function shownAs(page: Page, spelling: string): Promise<Shown[]> {
  await page.getByLabel("also those that only read").check();
  const shown = new Map<string, Shown>();
  for (const button of await page.locator(".made button").all()) {
    const [, method] = /(\w+) (?:OK|\w+)$/.exec((await button.innerText()).trim())!;
    const role = (await button.locator(".who.customer").count()) > 0 ? "customer" : "provider";
    if (shown.has(`${method} ${role}`)) continue;
    await button.click();
    await page.getByRole("button", { name: spelling, exact: true }).click();
    const [text, all] = await Promise.all(["pre.request", "body"].map((place) => page.locator(place).innerText()));
    shown.set(`${method} ${role}`, { method: method!, role, text: text!, page: all! });
  }
  return [...shown.values()];
}

/** The methods that the page's source calls. */
async function methodsOfThePage(): Promise<string[]> {
  const files = (await readdir("src")).filter((name) => /\.tsx?$/.test(name));
  const sources = (await Promise.all(files.map((name) => readFile(`src/${name}`, "utf8")))).join("\n");
  const isCalled = ({ localName }: { localName: string }) => new RegExp(`\\bbookings\\.${localName}\\(`).test(sources);
  return BookingService.methods.filter(isCalled).map(({ name }) => name).sort();
}

/** Those that change nothing when they are made again: reads, a create by its key, a cancel of what is cancelled. */
const repeatable = /^(Get|List|Create|Cancel)/;

describe("the calls that are shown", asPeople, () => {
  test("are answered as curl and as JSON, and type-check as TypeScript, for each method that the page calls", async (t) => {
    const page = await visit(t);
    const { names, ...sides } = await twoPeople(page);
    await doEverything(page, sides);
    const { url, secret } = await dev();
    const tokens = { customer: await token("customer", names.customer, "1h", secret), provider: await token("provider", names.provider, "1h", secret) };

    const typescript = await shownAs(page, "TypeScript");
    assert.deepEqual([...new Set(typescript.map(({ method }) => method))].sort(), await methodsOfThePage());
    await typeCheck(typescript);

    const curls = (await shownAs(page, "curl")).filter(({ method }) => repeatable.test(method));
    assert.ok(curls.length >= 5, `${curls.length} calls were made again`);
    for (const { method, role, text } of curls) {
      const env = { PATH: process.env.PATH, [role.toUpperCase()]: tokens[role] };
      const { stdout } = await run("bash", ["-c", `${text} -w '\n%{http_code}'`], { env });
      const [answer, status] = stdout.split(/\n(?=\d+$)/);
      assert.equal(status, "200", `${method} by ${role}: ${text}\n${stdout}`);
      assert.ok(answer!.startsWith("{"), answer);
    }

    const reads = (await shownAs(page, "JSON")).filter(({ method }) => /^(Get|List|Cancel)/.test(method));
    assert.ok(reads.length >= 3, `${reads.length} bodies were posted again`);
    for (const { role, text } of reads) {
      const [, path, body] = /^POST (\S+)\n\n([^]*)$/.exec(text)!;
      const headers = { "Content-Type": "application/json", Authorization: `Bearer ${tokens[role]}` };
      const response = await fetch(url + path, { method: "POST", headers, body: body! });
      assert.equal(response.status, 200, `${text}\n${await response.text()}`);
    }
    for (const side of Object.values(sides)) assert.equal(await side.section.locator(".booking").count(), 2, "a call that was made again has booked again");
  });

  test("are copied as curl with the token, and work as they are", async (t) => {
    const page = await visit(t, { permissions: ["clipboard-read", "clipboard-write"] });
    const { customer, names } = await twoPeople(page);
    await customer.book("09:00");
    await seen(customer.booking("09:00"));
    await page.getByRole("button", { name: "Copy, with the token" }).click();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    const { stdout } = await run("bash", ["-c", `${copied} -i`], { env: { PATH: process.env.PATH } });
    assert.match(stdout, /^HTTP\S+ 200 /);
    assert.match(stdout, /^idempotent-replayed: true\r$/im);
    assert.match(stdout, new RegExp(`"customerId": ?"${names.customer}"`));
  });

  test("go on with a person's next call where the last was looked at, and an older one that was chosen stays", async (t) => {
    const page = await visit(t);
    const { customer, provider } = await twoPeople(page);
    const made = page.locator(".made button");
    const looked = page.locator(".made button[aria-pressed=true]");
    const shows = (time: string) => seen(page.locator("pre.request").filter({ hasText: new RegExp(`"startTime":"[^"]+T${time}:`) }));
    const books = async (side: Side, time: string) => {
      await side.book(time);
      await seen(side.booking(time));
    };
    await books(customer, "09:00");
    await made.first().click();
    await shows("09:00");
    await books(customer, "10:00");
    await shows("10:00");

    await made.last().click();
    await books(provider, "11:00");
    await shows("09:00");
    await provider.section.getByRole("link", { name: "See it" }).click();
    await shows("11:00");
    await books(provider, "12:00");
    await shows("12:00");

    await page.getByLabel("also those that only read").check();
    await seen(made.filter({ hasText: "ListBookings" }));
    assert.match(await looked.innerText(), /CreateBooking/);
    await made.filter({ hasText: "GetBooking" }).first().click();
    await provider.booking("12:00").getByRole("button", { name: "Note" }).click();
    await provider.press("Write");
    await seen(looked.filter({ hasText: "UpdateBooking" }));
  });

  test("never show a token", async (t) => {
    const tokens = new Set<string>();
    const before = async (page: Page) => void page.on("request", (request) => tokens.add(request.headers()["authorization"] ?? ""));
    const page = await visit(t, { before });
    await doEverything(page, await twoPeople(page));
    tokens.delete("");
    assert.ok(tokens.size >= 2, "no call had a token");
    for (const spelling of ["curl", "TypeScript", "JSON"]) {
      for (const { page: text } of await shownAs(page, spelling)) {
        for (const token of tokens) assert.ok(!text.includes(token.replace("Bearer ", "")), `a token is shown: ${text}`);
      }
    }
  });
});

async function typeCheck(shown: readonly Shown[]): Promise<void> {
  await mkdir("build/shown", { recursive: true });
  const given = `import { timestampFromDate, type Bookings } from "@bookings/client";\n\ndeclare const customer: Bookings, provider: Bookings;\n`;
  const code = `${given}\n${shown.map(({ text }) => text).join("\n")}\n\nexport { timestampFromDate, customer, provider };\n`;
  await writeFile("build/shown/shown.ts", code);
  await writeFile("build/shown/tsconfig.json", JSON.stringify({ extends: "../../tsconfig.json", include: ["."] }));
  await run("node_modules/.bin/tsc", ["-p", "build/shown"]).catch(({ stdout }) => assert.fail(`${stdout}\n${code}`));
}
