import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Page } from "playwright-core";
import { gone, seen, Side, somebody, twoPeople } from "./support/side.js";
import { asPeople, visit } from "./support/visit.js";

const html = { contentType: "text/html", body: "<html><h1>Bad Gateway</h1></html>" };

/** What stands in front of servers, and in front of readers, says things of its own. */
const answers = {
  "HTML and 502": { ...html, status: 502 },
  "HTML and 200, as where one has to log in first": { ...html, status: 200 },
  "HTML that is called JSON": { ...html, status: 502, contentType: "application/json" },
  "JSON that is null": { status: 502, json: null },
  "JSON that is not ours": { status: 502, json: { details: "no healthy upstream" } },
};

const expected = /status of 502/;

describe("a proxy that answers in place of the server", asPeople, () => {
  for (const [what, answer] of Object.entries(answers)) {
    test(`by ${what}, is told in words, and the same form books once the server answers`, async (t) => {
      const page = await visit(t, { expected });
      const { customer } = await twoPeople(page);
      const creates = "**/bookings.v1.BookingService/CreateBooking";
      await page.route(creates, (route) => route.fulfill(answer));
      await customer.book("09:00");
      const form = customer.section.locator("form.inline");
      await seen(form.getByRole("alert").filter({ hasText: /^The server has not answered: .+\.$/ }));
      const outcome = answer.status === 200 ? "no answer" : String(answer.status);
      await seen(page.locator(".made button").first().filter({ hasText: new RegExp(`CreateBooking ${outcome}$`) }));
      const shown = await page.locator("pre.answer").innerText();
      assert.match(shown, "json" in answer ? /HTTP 502\n\n[n{]/ : /HTTP \d+\n\nThis is no JSON: something in between has answered\./);

      await page.unroute(creates);
      await customer.press("Book");
      await seen(customer.booking("09:00", "to be confirmed"));
      await gone(form);
    });
  }

  test("is told where the page reads, and no more once it has read", async (t) => {
    const page = await visit(t, { expected });
    const { customer } = await twoPeople(page);
    await page.route("**/bookings.v1.BookingService/ListBookings", (route) => route.fulfill(answers["HTML and 502"]));
    await page.getByRole("button", { name: "The day after" }).click();
    await seen(customer.alert.filter({ hasText: "The server has not answered: HTTP 502." }));
    await page.unroute("**/bookings.v1.BookingService/ListBookings");
    await page.getByRole("button", { name: "The day after" }).click();
    await gone(customer.alert);
  });

  test("is told where a token is asked for, at the form and by what calls", async (t) => {
    const tokens = "**/dev/token";
    const words = "No token has come: HTTP 502.";
    const before = async (page: Page) => void (await page.route(tokens, (route) => route.fulfill(answers["HTML and 502"])));
    const page = await visit(t, { expected, before });
    const customer = new Side(page, "customer");
    await seen(customer.alert.filter({ hasText: words }));
    const anna = somebody("anna");
    await customer.name(anna);
    assert.equal(await customer.wrongAt("Name of the customer"), words);
    await page.unroute(tokens);
    await customer.become(anna);
    assert.equal(await customer.alert.count(), 0);
  });
});
