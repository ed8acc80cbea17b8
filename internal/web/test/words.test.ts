import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gone, seen, twoPeople } from "./support/side.js";
import { asPeople, visit } from "./support/visit.js";

describe("what is wrong is said at its field, in words", asPeople, () => {
  test("a time that is taken, and then one that is not is booked by the same form", async (t) => {
    const page = await visit(t);
    const { customer, provider } = await twoPeople(page);
    await provider.book("09:00", { Customer: "somebody else" });
    await customer.book("09:00");
    assert.equal(await customer.wrongAt("From"), "This time is taken. Choose another.");
    await customer.fill({ From: "10:15" });
    await customer.press("Book");
    await seen(customer.booking("10:15", "to be confirmed"));
    await gone(customer.section.locator("form.inline"));
  });

  test("a time that has passed", async (t) => {
    const page = await visit(t);
    const { customer } = await twoPeople(page);
    await customer.book("09:00");
    const card = customer.booking("09:00", "to be confirmed");
    await card.getByRole("button", { name: "Move" }).click();
    await customer.fill({ Day: "2020-01-01" });
    await card.locator("form").getByRole("button", { name: "Move" }).click();
    assert.equal(await customer.wrongAt("From"), "This time has passed. Choose one that is to come.");
  });

  test("a note that is too long, with a new booking and with one that is there", async (t) => {
    const page = await visit(t);
    const { customer } = await twoPeople(page);
    await customer.book("09:00", { Note: "x".repeat(1_001) });
    assert.match(await customer.wrongAt("Note"), /at most 1,?000 characters/);
    await customer.fill({ Note: "x".repeat(1_000) });
    await customer.press("Book");
    await customer.booking("09:00", "to be confirmed").getByRole("button", { name: "Note" }).click();
    await customer.fill({ "Note, for both of you": "x".repeat(1_001) });
    await customer.press("Write");
    assert.match(await customer.wrongAt("Note, for both of you"), /at most 1,?000 characters/);
  });

  test("a name that is none, and the one who was there stays", async (t) => {
    const page = await visit(t);
    const { customer, names } = await twoPeople(page);
    await customer.name("x".repeat(129));
    assert.match(await customer.wrongAt("Name of the customer"), /128 characters/);
    await seen(customer.section.getByRole("heading", { name: names.customer }));
  });

  for (const [what, name] of [["with a control character", "anna\u0007"], ["that is empty", ""]] as const) {
    test(`a customer's name ${what}`, async (t) => {
      const page = await visit(t);
      const { provider } = await twoPeople(page);
      await provider.book("09:00", { Customer: name });
      assert.match(await provider.wrongAt("Customer"), /\w.*\.$/);
      assert.equal(await provider.section.locator(".booking").count(), 0);
    });
  }
});
