import assert from "node:assert/strict";
import { after, type TestContext } from "node:test";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { findChromium } from "../../../../clients/typescript/test/support/chromium.js";
import { dev } from "./dev.js";

const path = findChromium();

/** Why nothing of this can be tested here, if so. */
export const skip = path === undefined && "there is no Chromium on PATH";

/** How tests of a file run: some at a time, for each waits for its page most of the time. */
export const asPeople = { concurrency: 4, skip };

let browser: Promise<Browser> | undefined;
after(async () => (await browser)?.close());

/** The browser that all tests share. */
function sharedBrowser(): Promise<Browser> {
  return (browser ??= chromium.launch({ executablePath: path!, chromiumSandbox: process.getuid?.() !== 0 }));
}

/** All of the page is in sight, so that nothing moves below the pointer. */
const usual = { locale: "en-GB", timezoneId: "UTC", viewport: { width: 1280, height: 2_400 } };

export interface VisitOptions extends BrowserContextOptions {
  /** Where the page is; by default that of dev. */
  readonly url?: string;
  /** Lines of the console that this test brings about. */
  readonly expected?: RegExp;
  /** Done before the page is opened. */
  readonly before?: (page: Page) => Promise<void>;
}

/** Opens the page for somebody new. When the test ends, nothing may have been amiss that only the console tells. */
export async function visit(t: TestContext, { url, expected, before, ...options }: VisitOptions = {}): Promise<Page> {
  const address = url ?? (await dev()).url;
  const context = await (await sharedBrowser()).newContext({ ...usual, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const amiss = watch(page, new URL(address).host, expected);
  t.after(async () => {
    await context.close();
    assert.deepEqual(amiss, [], "the browser complained, or another host was asked");
  });
  await before?.(page);
  await page.goto(address);
  return page;
}

/** Of refusals the browser tells by itself; there is no way to ask it not to. */
const refusal = /^Failed to load resource: the server responded with a status of 4\d\d /;

function watch(page: Page, host: string, expected?: RegExp): string[] {
  const amiss: string[] = [];
  const ask = (url: string) => /^(data|blob):/.test(url) || new URL(url).host === host || amiss.push(`asked ${url}`);
  page.on("request", (request) => ask(request.url()));
  page.on("websocket", (socket) => ask(socket.url()));
  page.on("pageerror", (error) => amiss.push(String(error)));
  page.on("console", (line) => {
    const text = line.text();
    if (/^(error|warning)$/.test(line.type()) && !refusal.test(text) && !expected?.test(text)) amiss.push(`${line.type()}: ${text}`);
  });
  return amiss;
}
