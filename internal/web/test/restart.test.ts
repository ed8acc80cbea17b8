import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createClient, timestampFromDate } from "@bookings/client";
import { token } from "../../../clients/typescript/test/support/server.js";
import { Served } from "./support/served.js";
import { seen, Side } from "./support/side.js";
import { asPeople, visit } from "./support/visit.js";

const hour = 3_600_000;

describe("a server that is restarted", asPeople, () => {
  test("is missed in words, and the page comes back by itself with what happened meanwhile", async (t) => {
    const served = await Served.start();
    t.after(() => served.kill());
    const expected = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|WebSocket connection to .* failed/;
    const page = await visit(t, { url: served.url, expected });
    const [customer, benToken] = [new Side(page, "customer"), await token("provider", "ben")];
    await customer.paste(await token("customer", "anna"));
    await customer.live();

    await served.stop();
    await seen(customer.line.filter({ hasText: /^No line \(.+\), trying again/ }));
    const other = await served.another();
    t.after(() => other.kill());
    const ben = createClient({ baseUrl: `http://127.0.0.1:${other.port}`, getToken: () => benToken });
    const tomorrow = new Date().setUTCHours(33, 0, 0, 0);
    await ben.bookings.createBooking({
      customerId: "anna",
      startTime: timestampFromDate(new Date(tomorrow)),
      endTime: timestampFromDate(new Date(tomorrow + hour)),
    });
    assert.equal(await customer.section.locator(".booking").count(), 0);

    await served.restart();
    await customer.live();
    await seen(customer.booking("09:00", "confirmed"));
    await seen(customer.section.locator(".entry.replayed"));
    await customer.book("10:00", { With: "ben" });
    await seen(customer.booking("10:00", "to be confirmed"));
    assert.deepEqual(await page.getByRole("alert").allTextContents(), []);
  });
});
