import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Locator, Page } from "playwright-core";
import { gone, seen, Side, somebody, twoPeople } from "./support/side.js";
import { asPeople, visit } from "./support/visit.js";

/** Goes on by Tab until something has the focus. */
async function tabTo(page: Page, what: Locator): Promise<void> {
  await seen(what);
  for (let presses = 0; presses < 200; presses++) {
    if (await what.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`200 times Tab did not lead to ${what}`);
}

/** Holds that the keyboard still has a place, within something. */
async function keeps(page: Page, place: Locator): Promise<void> {
  const focused = page.locator(":focus");
  assert.equal(await focused.count(), 1, "the focus was lost");
  const inside = await place.evaluate((element) => element.contains(document.activeElement));
  assert.ok(inside, `the focus is at ${await focused.evaluate((element) => element.outerHTML.slice(0, 200))}`);
}

const button = (place: Locator, name: string) => place.getByRole("button", { name, exact: true });

describe("the keyboard alone is enough", asPeople, () => {
  test("to become somebody, book, write, move and cancel; its place is never lost", async (t) => {
    const page = await visit(t);
    const customer = new Side(page, "customer");
    const [anna, ben] = [somebody("anna"), somebody("ben")];
    const { section } = customer;
    const { keyboard } = page;
    const enter = async (place: Locator, name: string) => {
      await tabTo(page, button(place, name));
      await keyboard.press("Enter");
    };

    await tabTo(page, section.locator(".who summary"));
    await keyboard.press("Enter");
    await tabTo(page, section.getByLabel("Name of the customer"));
    await keyboard.press("Control+A");
    await keyboard.type(anna);
    await keyboard.press("Enter");
    await seen(section.getByRole("heading", { name: anna }));
    await customer.live();
    await keeps(page, section.locator(".who summary"));

    await enter(section, "09:00");
    await keeps(page, section.getByLabel("From", { exact: true }));
    await enter(section, "Close");
    await gone(section.locator("form.inline"));
    await keeps(page, button(section, "09:00"));

    await keyboard.press("Enter");
    await tabTo(page, section.getByLabel("With", { exact: true }));
    await keyboard.press("Control+A");
    await keyboard.type(ben);
    await keyboard.press("Enter");
    const card = customer.booking("09:00");
    await seen(card);
    await keeps(page, card);

    await enter(card, "Note");
    await keeps(page, card.getByLabel("Note, for both of you"));
    await keyboard.type("by keyboard");
    await keyboard.press("Enter");
    await gone(card.locator("form"));
    await keeps(page, button(card, "Note"));

    await enter(card, "Move");
    await enter(card, "Close");
    await gone(card.locator("form"));
    await keeps(page, button(card, "Move"));

    await keyboard.press("Enter");
    await keyboard.press("ArrowUp"); // the first part of the time, an hour later
    await keyboard.press("Enter");
    const moved = customer.booking("10:00");
    await seen(moved);
    await keeps(page, moved);

    await enter(moved, "Cancel");
    await enter(moved, "Cancel the booking");
    await seen(customer.booking("10:00", "cancelled"));
    await gone(moved.locator("form"));
    await keeps(page, moved);
  });

  test("to answer: what is pressed may go with what it does, the place stays", async (t) => {
    const page = await visit(t);
    const { customer, provider } = await twoPeople(page);
    await customer.book("09:00");
    const card = provider.booking("09:00");
    await tabTo(page, button(card, "Confirm"));
    await page.keyboard.press("Enter");
    await seen(provider.booking("09:00", "confirmed"));
    await keeps(page, card);

    await tabTo(page, button(card, "Move"));
    await page.keyboard.press("Enter");
    await provider.fill({ Day: new Date(Date.now() + 72 * 3_600_000).toISOString().slice(0, 10) });
    await page.keyboard.press("Enter");
    await gone(card);
    await keeps(page, provider.section.locator(".agenda"));
  });

  test("to try things and to be refused", async (t) => {
    const page = await visit(t);
    const { customer, provider } = await twoPeople(page);
    for (const name of ["Race", "Retry"]) {
      const trick = page.locator(".trick").filter({ has: page.getByRole("heading", { name }) });
      await tabTo(page, button(trick, name));
      await page.keyboard.press("Enter");
      await seen(trick.locator(".kept").last());
      await seen(button(trick, name));
      await keeps(page, trick);
    }
    await tabTo(page, button(customer.section, "Cut the line"));
    await page.keyboard.press("Enter");
    await seen(button(customer.section, "Mend the line"));
    await keeps(page, customer.section.locator(".feed"));
    await page.keyboard.press("Enter");
    await customer.live();

    await provider.book("12:00", { Customer: somebody("carl") });
    await tabTo(page, button(customer.section, "12:00"));
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await customer.wrongAt("From");
    await keeps(page, customer.section.locator("form.inline"));
  });
});
