import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { secret as servers, token } from "../../../clients/typescript/test/support/server.js";
import { dev } from "./support/dev.js";
import { Served } from "./support/served.js";
import { seen, Side, somebody, twoPeople, type Role } from "./support/side.js";
import { asPeople, visit } from "./support/visit.js";

/** What was a token until an hour ago, which the program does not make. */
async function expired(role: Role, name: string): Promise<string> {
  const [header, payload] = (await token(role, name)).split(".");
  const claims = JSON.parse(Buffer.from(payload!, "base64url").toString());
  const past = { ...claims, iat: claims.iat - 7_200, exp: claims.exp - 7_200 };
  const signed = `${header}.${Buffer.from(JSON.stringify(past)).toString("base64url")}`;
  return `${signed}.${createHmac("sha256", servers).update(signed).digest("base64url")}`;
}

describe("tokens that are pasted", asPeople, () => {
  let served: Served;
  before(async () => {
    served = await Served.start();
  });
  after(() => served.kill());

  const sides = (page: Page) => ({ customer: new Side(page, "customer"), provider: new Side(page, "provider") });

  test("two people with a token each book with each other", async (t) => {
    const { customer, provider } = sides(await visit(t, { url: served.url }));
    const [anna, ben] = [somebody("anna"), somebody("ben")];
    await customer.paste(`Bearer ${await token("customer", anna)}\n`);
    await provider.paste(await token("provider", ben));
    await provider.live();
    await customer.book("09:00", { With: ben });
    await seen(provider.booking("09:00", "to be confirmed"));
  });

  test("one that runs out ends the feed with words, and a fresh one goes on with the feed", async (t) => {
    const { customer, provider } = sides(await visit(t, { url: served.url }));
    const [anna, ben] = [somebody("anna"), somebody("ben")];
    await provider.paste(await token("provider", ben));
    await customer.paste(await token("customer", anna, "3s"));
    await seen(customer.alert.filter({ hasText: "This token has expired, or is refused. Paste another." }));
    await seen(customer.line.filter({ hasText: /^No line \(TOKEN_EXPIRED\)/ }));
    assert.doesNotMatch(await customer.line.innerText(), /trying again/);
    await provider.book("09:00", { Customer: anna });
    await seen(provider.booking("09:00", "confirmed"));
    assert.equal(await customer.section.locator(".booking").count(), 0);
    await customer.paste(await token("customer", anna));
    await customer.live();
    await seen(customer.booking("09:00", "confirmed"));
    assert.equal(await customer.alert.count(), 0);
  });

  // For a while after its end calls still take a token, since clocks differ.
  test("one that has expired is named by calls, and a fresh one goes on with what was begun", async (t) => {
    const { customer } = sides(await visit(t, { url: served.url }));
    const anna = somebody("anna");
    await customer.paste(await expired("customer", anna));
    await seen(customer.alert.filter({ hasText: "This token has expired" }));
    await customer.book("09:00", { With: somebody("ben"), Note: "still here" });
    await seen(customer.section.locator("form.inline").getByText("This token has expired. Paste another above."));
    await customer.paste(await token("customer", anna));
    await customer.live();
    await customer.press("Book");
    await seen(customer.booking("09:00", "to be confirmed").filter({ hasText: "still here" }));
    assert.equal(await customer.alert.count(), 0);
  });

  const wrong: Readonly<Record<string, [() => Promise<string> | string, RegExp]>> = {
    "one of the other role": [() => token("provider", somebody("ben")), /token of a provider: paste it on the other side/],
    "what is no token": [() => "eyJ.nonsense", /^This is no token/],
    "one that names nobody": [() => `x.${btoa(JSON.stringify({ sub: "anna", role: "admin" }))}.x`, /no user in the role customer or provider/],
  };
  for (const [what, [make, words]] of Object.entries(wrong)) {
    test(`${what} is refused at its field`, async (t) => {
      const { customer } = sides(await visit(t, { url: served.url }));
      await customer.paste(await make());
      assert.match(await customer.wrongAt("Token of the customer; it stays in this page's memory"), words);
      await seen(customer.section.getByRole("heading", { name: "Nobody yet" }));
    });
  }

  test("one that this server has not signed is refused in words", async (t) => {
    const { customer } = sides(await visit(t, { url: served.url }));
    await customer.paste(await token("customer", somebody("anna"), "1h", "another-secret-another-secret-another"));
    await seen(customer.alert.filter({ hasText: /does not take this token|is refused/ }));
    await customer.paste(await token("customer", somebody("anna")));
    await customer.live();
    assert.equal(await customer.alert.count(), 0);
  });
});

describe("tokens of dev", asPeople, () => {
  /** Answers the page with tokens of the test's own, and counts them. */
  async function minting(page: Page, make: (role: Role, name: string, nth: number) => Promise<string>): Promise<Map<string, number>> {
    const made = new Map<string, number>();
    await page.route("**/dev/token", async (route) => {
      const { role, userId } = route.request().postDataJSON();
      const nth = (made.get(userId) ?? 0) + 1;
      made.set(userId, nth);
      await route.fulfill({ json: { token: await make(role, userId, nth) } });
    });
    return made;
  }

  test("one that runs out is replaced by the page itself, and nobody notices", async (t) => {
    const { secret } = await dev();
    let made = new Map<string, number>();
    const before = async (page: Page) => void (made = await minting(page, (role, name) => token(role, name, "5s", secret)));
    const page = await visit(t, { before });
    const { customer, provider, names } = await twoPeople(page);
    const first = made.get(names.customer)!;
    while (made.get(names.customer)! < first + 2) await page.waitForRequest("**/dev/token");
    assert.match(await customer.line.innerText(), /^Live/, "the feed was cut for a new token");
    await customer.book("09:00");
    await seen(provider.booking("09:00", "to be confirmed"));
    assert.deepEqual(await page.getByRole("alert").allTextContents(), []);
  });

  test("one that is refused is replaced by the page itself", async (t) => {
    const { secret } = await dev();
    const other = "another-secret-another-secret-another";
    const before = async (page: Page) => void (await minting(page, (role, name, nth) => token(role, name, "1h", nth === 1 ? other : secret)));
    const page = await visit(t, { before });
    const { customer, provider } = await twoPeople(page);
    await customer.book("09:00");
    await seen(provider.booking("09:00", "to be confirmed"));
    assert.deepEqual(await page.getByRole("alert").allTextContents(), []);
  });
});
