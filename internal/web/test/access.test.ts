import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import type axe from "axe-core";
import type { BrowserContextOptions, Page } from "playwright-core";
import { gone, seen, somebody, twoPeople } from "./support/side.js";
import { asPeople, visit } from "./support/visit.js";

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** What axe finds, of any weight. */
async function findings(page: Page, when: string): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(await readFile("node_modules/axe-core/axe.min.js", "utf8"));
  const { violations, passes } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run({ resultTypes: ["violations"] }));
  assert.ok(passes.length > 20, `axe has looked at little: ${passes.length} rules`);
  return violations.flatMap(({ id, impact, nodes }) => nodes.map(({ html, any }) => `${when}: ${impact} ${id}: ${html} ${any[0]?.message ?? ""}`));
}

/** By how much the page is wider than what is seen of it. */
function overhang(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** Brings about all that can be seen, and calls look after each. */
async function showAll(page: Page, look: (when: string) => Promise<void>): Promise<void> {
  const { customer, provider } = await twoPeople(page);
  await look("at first");
  await customer.book("09:00", { Note: "word".repeat(50) });
  await seen(provider.booking("09:00", "to be confirmed"));
  await provider.book("11:00", { Customer: somebody("carl") });
  await customer.book("11:00");
  await customer.wrongAt("From");
  await provider.book("10:00", { Customer: "x\u0007" });
  await provider.wrongAt("Customer");
  await look("with errors");
  await provider.booking("09:00").getByRole("button", { name: "Move" }).click();
  await customer.booking("09:00").getByRole("button", { name: "Cancel" }).click();
  await customer.name("x".repeat(200));
  await seen(customer.section.locator(".who [aria-invalid]"));
  await look("with forms open");
  await page.getByRole("button", { name: "Race", exact: true }).click();
  await seen(page.locator(".outcomes"));
  await customer.press("Cut the line");
  await page.getByLabel("also those that only read").check();
  await look("after a race, with a line that is cut");
  await page.locator(".trick").getByRole("button", { name: "Cut the line" }).click();
  await gone(page.getByRole("button", { name: "Running" }));
  await customer.booking("09:00").locator("form").getByRole("button", { name: "Cancel the booking" }).click();
  await seen(provider.booking("09:00", "cancelled"));
  await look("after a cut line, with what is cancelled and what was replayed");
}

describe("everybody can use the page", asPeople, () => {
  const kinds: Readonly<Record<string, BrowserContextOptions>> = {
    "in light": { colorScheme: "light" },
    "in the dark": { colorScheme: "dark" },
    "on a phone": phone,
  };
  for (const [kind, options] of Object.entries(kinds)) {
    test(`${kind}, axe finds nothing, whatever is shown`, async (t) => {
      const page = await visit(t, options);
      const found: string[] = [];
      await showAll(page, async (when) => void found.push(...(await findings(page, when))));
      assert.deepEqual(found, []);
    });
  }

  test("nothing has to be scrolled sideways, at 390 and at 320 pixels", async (t) => {
    const page = await visit(t, phone);
    await showAll(page, async (when) => {
      for (const width of [390, 320]) {
        await page.setViewportSize({ width, height: phone.viewport.height });
        assert.equal(await overhang(page), 0, `${when}, at ${width}`);
      }
    });
  });
});
