import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gone, seen, twoPeople } from "./support/side.js";
import { asPeople, visit } from "./support/visit.js";

describe("two people book with each other", asPeople, () => {
  test("what one does the other sees without a reload, from the first click to the last", async (t) => {
    const page = await visit(t);
    const { customer, provider, names } = await twoPeople(page);

    await customer.book("09:00", { Note: "the blue door" });
    await seen(customer.booking("09:00", "to be confirmed"));
    const asked = provider.booking("09:00", "to be confirmed");
    await seen(asked.filter({ hasText: names.customer }).filter({ hasText: "the blue door" }));
    await seen(provider.section.locator(".entry").filter({ hasText: `${names.customer} asks ${names.provider} for` }));

    await asked.getByRole("button", { name: "Confirm" }).click();
    await seen(provider.booking("09:00", "confirmed"));
    await seen(customer.booking("09:00", "confirmed"));

    await provider.booking("09:00").getByRole("button", { name: "Move" }).click();
    await provider.fill({ From: "11:30" });
    await provider.booking("09:00").locator("form").getByRole("button", { name: "Move" }).click();
    await gone(provider.booking("09:00"));
    await seen(customer.booking("11:30", "confirmed"));
    await gone(customer.booking("09:00"));

    await customer.booking("11:30").getByRole("button", { name: "Note" }).click();
    await customer.fill({ "Note, for both of you": "the red door" });
    await customer.press("Write");
    await seen(provider.booking("11:30").filter({ hasText: "the red door" }));

    await customer.booking("11:30").getByRole("button", { name: "Cancel" }).click();
    await customer.fill({ Reason: "the flu" });
    await customer.press("Cancel the booking");
    await seen(provider.booking("11:30", "cancelled").filter({ hasText: "reason: the flu" }));
    await seen(provider.section.locator(".entry").filter({ hasText: `${names.customer} cancels` }).filter({ hasText: "the flu" }));
    await seen(provider.hour("11:00"));
  });

  test("a provider records what has taken place, and who did not come", async (t) => {
    const page = await visit(t);
    const { customer, provider } = await twoPeople(page);
    const back = page.getByRole("button", { name: "The day before" });
    await back.click();
    await back.click(); // from tomorrow to yesterday

    await provider.book("09:00");
    await provider.booking("09:00", "confirmed").getByRole("button", { name: "Took place" }).click();
    await seen(customer.booking("09:00", "took place"));
    await provider.book("10:00");
    await provider.booking("10:00", "confirmed").getByRole("button", { name: "Did not come" }).click();
    await seen(customer.booking("10:00", "did not come"));
    assert.equal(await customer.section.locator(".free").count(), 0, "a customer was offered an hour that has passed");
  });

  test("what the other side books meanwhile takes no form away, nor what was typed into it", async (t) => {
    const page = await visit(t);
    const { customer, provider, names } = await twoPeople(page);
    await customer.choose("14:00", { Note: "half typed" });
    await provider.book("08:00");
    await seen(customer.booking("08:00"));
    await provider.book("14:00");
    await seen(customer.booking("14:00", "confirmed").filter({ hasText: names.provider }));
    assert.equal(await customer.section.getByLabel("Note", { exact: true }).inputValue(), "half typed");
  });
});
