import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Locator, Page } from "playwright-core";
import { gone, seen, twoPeople } from "./support/side.js";
import { asPeople, visit } from "./support/visit.js";

/** Runs what has this name, to its end. */
async function run(page: Page, name: string): Promise<Locator> {
  const trick = page.locator(".trick").filter({ has: page.getByRole("heading", { name, exact: true }) });
  await trick.getByRole("button", { name, exact: true }).click();
  await gone(trick.getByRole("button", { name: "Running" }));
  await seen(trick.locator(".kept, .broken"));
  assert.equal(await trick.locator(".broken").count(), 0, await trick.innerText());
  return trick;
}

describe("things to try", asPeople, () => {
  test("of twenty calls for one hour one wins, and nineteen are told SLOT_TAKEN", async (t) => {
    const page = await visit(t);
    const { customer, provider } = await twoPeople(page);
    const trick = await run(page, "Race");
    const outcomes = await trick.locator(".outcomes li").allTextContents();
    const [won, taken] = [/ won$/, / SLOT_TAKEN$/].map((end) => outcomes.filter((outcome) => end.test(outcome)).length);
    assert.deepEqual([outcomes.length, won, taken], [20, 1, 19]);
    for (const side of [customer, provider]) {
      await seen(side.booking("08:00"));
      assert.equal(await side.section.locator(".booking").count(), 1, "an hour was booked twice");
    }
  });

  test("what happens while the line is cut is replayed in order, each once", async (t) => {
    const page = await visit(t);
    const { customer, provider } = await twoPeople(page);
    await provider.book("08:00");
    await seen(customer.section.locator(".entry"));
    const trick = await run(page, "Cut the line");
    await seen(trick.getByText("2, 3, 4 are replayed, in order, each once."));
    assert.deepEqual(await customer.numbers(), ["4", "3", "2", "1"]);
    assert.equal(await customer.section.locator(".entry.replayed").count(), 3);
    assert.equal(await provider.section.locator(".entry.replayed").count(), 0);
  });

  test("a line that was cut by hand is mended by hand, and what was missed is marked as replayed", async (t) => {
    const page = await visit(t);
    const { customer, provider } = await twoPeople(page);
    await customer.press("Cut the line");
    await seen(customer.line.filter({ hasText: "The line is cut" }));
    await provider.book("08:00");
    await provider.book("09:00");
    await seen(provider.booking("09:00", "confirmed"));
    assert.deepEqual(await customer.numbers(), []);
    assert.equal(await customer.section.locator(".booking").count(), 0, "a line that is cut has brought a booking");
    await customer.press("Mend the line");
    await seen(customer.booking("09:00", "confirmed"));
    assert.deepEqual(await customer.numbers(), ["2", "1"]);
    assert.equal(await customer.section.locator(".entry").filter({ hasText: "replayed" }).count(), 2);
    await customer.live();
    await provider.book("10:00");
    await seen(customer.booking("10:00"));
    assert.deepEqual(await customer.numbers(), ["3", "2", "1"]);
    assert.equal(await customer.section.locator(".entry.replayed").count(), 2, "what came live is marked as replayed");
    await customer.press("Cut the line");
    await run(page, "Cut the line"); // begins by mending it
    await customer.live();
  });

  test("the same call again is the same booking", async (t) => {
    const page = await visit(t);
    const { customer, provider } = await twoPeople(page);
    const trick = await run(page, "Retry");
    await seen(trick.getByText("IDEMPOTENCY_KEY_REUSED"));
    assert.equal(await trick.locator(".kept").count(), 3);
    await seen(provider.booking("08:00"));
    assert.equal(await customer.section.locator(".booking").count(), 1);
    assert.deepEqual(await customer.numbers(), ["1"]);
  });
});
