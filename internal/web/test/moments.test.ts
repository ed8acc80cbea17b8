import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Locator, Page } from "playwright-core";
import { createClient, timestampFromDate } from "@bookings/client";
import { eventually } from "../../../clients/typescript/test/support/record.js";
import { token } from "../../../clients/typescript/test/support/server.js";
import { dev } from "./support/dev.js";
import { gone, seen, twoPeople, type Role, type Side } from "./support/side.js";
import { asPeople, visit } from "./support/visit.js";

const second = 1_000;
const hour = 3_600 * second;

/** A booking that both see. */
interface Shown {
  readonly end: Date;
  /** Its card on each side. */
  readonly cards: Readonly<Record<Role, Locator>>;
  readonly sides: Readonly<Record<Role, Side>>;
}

async function showDay(page: Page, day: Date): Promise<void> {
  await page.locator(".day-bar").getByLabel("Day", { exact: true }).fill(day.toISOString().slice(0, 10));
}

/** Shows both a booking that starts soon: as soon as lets this machine show it before. */
async function showBeforeStart(page: Page, length = hour): Promise<Shown> {
  const { names, ...sides } = await twoPeople(page);
  const { url, secret } = await dev();
  const benToken = await token("provider", names.provider, "1h", secret);
  const ben = createClient({ baseUrl: url, getToken: () => benToken });
  for (let tries = 0; ; tries++) {
    const start = new Date((Math.ceil(Date.now() / second) + 2 ** (tries + 2)) * second);
    const end = new Date(Number(start) + length);
    const slot = { startTime: timestampFromDate(start), endTime: timestampFromDate(end) };
    const { booking } = await ben.bookings.createBooking({ customerId: names.customer, ...slot });
    await showDay(page, start);
    const card = (role: Role) => sides[role].section.locator(".booking").nth(tries);
    const cards = { customer: card("customer"), provider: card("provider") };
    // The reminder comes at once, and has the page read the booking: what happens after that is of the start alone.
    await Promise.all(Object.values(cards).map((card) => seen(card.filter({ hasText: "reminded" }))));
    if ((await button(cards.customer, "Cancel").count()) === 1 && (await button(cards.provider, "Took place").count()) === 0) return { end, cards, sides };
    await ben.bookings.cancelBooking({ id: booking!.id }); // the next may lie in its time
  }
}

const button = (card: Locator, name: string) => card.getByRole("button", { name, exact: true });

describe("the buttons of a booking", asPeople, () => {
  const clocks = { "": 0, ", where the page's clock is an hour behind": -hour, ", where the page's clock is an hour ahead": hour };
  for (const [where, wrong] of Object.entries(clocks)) {
    test(`are those of a booking that has started once it has${where}`, async (t) => {
      const before = async (page: Page) => void (wrong !== 0 && (await page.clock.install({ time: Date.now() + wrong })));
      const page = await visit(t, { before });
      const { customer, provider } = (await showBeforeStart(page)).cards;
      await seen(button(provider, "Did not come"));
      for (const name of ["Move", "Cancel"]) await gone(button(customer, name));
      await button(provider, "Took place").click();
      await seen(provider.locator(".status").getByText("took place"));
    });
  }

  test("are asked for when it starts and when it ends, once each", async (t) => {
    const page = await visit(t);
    const { end } = await showBeforeStart(page, 3 * second);
    const asked: number[] = [];
    page.on("request", (request) => void (request.url().endsWith("/GetBooking") && asked.push(Date.now())));
    await eventually("a question after the end", () => asked.some((time) => time >= Number(end)));
    // By each side at the start; at the end by the provider, who alone can do something still.
    assert.ok(asked.length <= 3, `asked for ${asked.length} times`);
  });

  test("are asked for again where no answer came, once the line is back", async (t) => {
    const page = await visit(t, { expected: /status of 502/ });
    const gets = "**/bookings.v1.BookingService/GetBooking";
    const { cards, sides } = await showBeforeStart(page);
    await page.route(gets, (route) => route.fulfill({ status: 502 }));
    await seen(sides.provider.alert.filter({ hasText: "The server has not answered" }));
    await page.unroute(gets);
    await sides.provider.press("Cut the line");
    await sides.provider.press("Mend the line");
    await seen(button(cards.provider, "Took place"));
    await gone(sides.provider.alert);
  });

  test("are waited for no longer than a browser can wait: it would not wait at all", async (t) => {
    const complain = () => {
      const own = globalThis.setTimeout;
      const watched = (then: () => void, wait?: number) => {
        if (wait! >= 2 ** 31) console.error(`a wait of ${wait}`);
        return own(then, wait);
      };
      globalThis.setTimeout = watched as typeof own;
    };
    const page = await visit(t, { before: async (page) => void (await page.addInitScript(complain)) });
    const { customer, provider } = await twoPeople(page);
    await showDay(page, new Date(Date.now() + 60 * 24 * hour));
    await provider.book("09:00");
    await seen(customer.booking("09:00", "confirmed"));
  });
});
