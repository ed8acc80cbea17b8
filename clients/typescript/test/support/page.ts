import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium, type Browser } from "playwright-core";
import type * as client from "@bookings/client";
import { backoff, type OpenReader } from "./reader.js";
import { Record } from "./record.js";

declare const bookings: typeof client;

/** A browser whose pages have the package as `bookings`. */
export class Pages {
  private constructor(
    readonly browser: Browser,
    readonly url: string,
    readonly close: () => Promise<void>,
  ) {}

  static async open(executablePath: string): Promise<Pages> {
    const browser = await chromium.launch({ executablePath, chromiumSandbox: process.getuid?.() !== 0 });
    const page = `<!doctype html><title>test</title><script>${await bundle()}</script>`;
    const server = createServer((_, response) => response.setHeader("Content-Type", "text/html").end(page));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return new Pages(browser, url, async () => {
      await browser.close();
      server.close();
    });
  }

  /** Reads a feed in a page of its own, with its place in localStorage. */
  reader: OpenReader = async ({ baseUrl, getToken, start }) => {
    const page = await this.browser.newPage();
    const record = new Record();
    await page.exposeFunction("getToken", getToken);
    await page.exposeFunction("tell", (what: "event" | "reset" | "onConnected" | "onLost" | "end", value: never) => record[what](value));
    await page.goto(this.url);
    await page.evaluate(readInPage, { baseUrl, start, backoff });
    return {
      record,
      close: async () => {
        if (page.isClosed()) return;
        await page.evaluate(() => (globalThis as any).feed.close());
        await record.until("the end", () => record.ended !== undefined);
        await page.close();
      },
    };
  };
}

async function bundle(): Promise<string> {
  const entry = fileURLToPath(new URL("../../../dist/index.js", import.meta.url));
  const result = await build({ entryPoints: [entry], bundle: true, format: "iife", globalName: "bookings", write: false });
  return result.outputFiles[0]!.text.replaceAll("</script", "<\\/script");
}

/** Runs in the page. */
function readInPage({ baseUrl, start, backoff }: { baseUrl: string; start: client.Place | undefined; backoff: client.BackoffOptions }): void {
  const { getToken, tell } = globalThis as any;
  const feed = new bookings.Feed({
    baseUrl,
    getToken,
    start,
    store: bookings.localStoragePlace("place"),
    backoff,
    onReset: (reset) => tell("reset", reset),
    onConnected: () => tell("onConnected"),
    onLost: (lost) => tell("onLost", lost),
  });
  (globalThis as any).feed = feed;
  const read = async () => {
    for await (const event of feed) await tell("event", event);
  };
  read().then(() => tell("end", ""), (error) => tell("end", String(error)));
}
