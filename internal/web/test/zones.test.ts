import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Page } from "playwright-core";
import { seen, Side, somebody, twoPeople } from "./support/side.js";
import { asPeople, visit } from "./support/visit.js";

/** The last Sunday of a month: on which Europe changes its clocks, in March and October. */
function lastSunday(year: number, month: number): string {
  const last = new Date(Date.UTC(year, month, 0));
  last.setUTCDate(last.getUTCDate() - last.getUTCDay());
  return last.toISOString().slice(0, 10);
}

/** The next one that lies ahead. */
function change(month: number): string {
  const now = new Date();
  const thisYear = lastSunday(now.getUTCFullYear(), month);
  return thisYear > now.toISOString().slice(0, 10) ? thisYear : lastSunday(now.getUTCFullYear() + 1, month);
}

async function turnTo(page: Page, day: string): Promise<void> {
  await page.locator(".day-bar").getByLabel("Day", { exact: true }).fill(day);
}

const [march, october] = [change(3), change(10)];
// On that Sunday New York has changed its clocks already in March, and not yet in October.
const days = { "23 hours": { day: march, until: "04:00", there: "02:00" }, "25 hours": { day: october, until: "02:00", there: "03:00" } };

describe("times are those of the reader's clock", asPeople, () => {
  for (const [length, { day, until, there }] of Object.entries(days)) {
    test(`one booking is seen in Berlin and in New York, also on a day that has ${length}`, async (t) => {
      const berlin = await visit(t, { timezoneId: "Europe/Berlin" });
      const newYork = await visit(t, { timezoneId: "America/New_York", locale: "en-US" });
      const { customer, provider, names } = await twoPeople(berlin);
      const abroad = new Side(newYork, "provider");
      await abroad.become(names.provider);
      for (const page of [berlin, newYork]) await turnTo(page, day);
      await seen(newYork.getByText("America/New_York"));

      await customer.book("08:00");
      await seen(provider.booking("08:00", "to be confirmed"));
      await seen(abroad.booking(there, "to be confirmed"));
      const times = [provider.booking("08:00"), abroad.booking(there)].map((card) => card.locator("time").getAttribute("datetime"));
      assert.equal(await times[0], await times[1]);
    });

    test(`an hour and a half over the change ends by the clock of a day that has ${length}, and its last hour is on it`, async (t) => {
      const page = await visit(t, { timezoneId: "Europe/Berlin" });
      const { customer, provider, names } = await twoPeople(page);
      await turnTo(page, day);
      await provider.choose("08:00", { From: "01:30", Customer: somebody("anna") });
      await provider.section.getByLabel("For").selectOption("90 min");
      await provider.press("Book");
      await seen(provider.booking("01:30").filter({ hasText: `01:30 – ${until}` }));
      await customer.book("08:00", { From: "23:30" });
      await seen(provider.booking("23:30", "to be confirmed"));

      await page.reload(); // what is there then was listed, as what lies on this day
      await provider.become(names.provider);
      await turnTo(page, day);
      for (const time of ["01:30", "23:30"]) await seen(provider.booking(time));
    });
  }
});
