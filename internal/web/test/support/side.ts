import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";

export type Role = "customer" | "provider";

let people = 0;

/** A name that nobody else has. */
export function somebody(name: string): string {
  return `${name}-${++people}`;
}

/** One person's side of a page, as they use it. */
export class Side {
  readonly section: Locator;
  /** What a person did not like to be told. */
  readonly alert: Locator;
  /** The state of their line. */
  readonly line: Locator;

  constructor(
    readonly page: Page,
    readonly role: Role,
  ) {
    this.section = page.locator(`section.${role}`);
    this.alert = this.section.getByRole("alert");
    this.line = this.section.locator(".line");
  }

  /** "Be somebody else", until their feed is live. */
  async become(name: string): Promise<void> {
    await this.name(name);
    await seen(this.section.getByRole("heading", { name }));
    await this.live();
  }

  /** Enters a name, whether it is one or not. */
  name(name: string): Promise<void> {
    return this.#enter("Name of the", name);
  }

  /** Pastes a token, whether it is one or not. */
  paste(token: string): Promise<void> {
    return this.#enter("Token of the", token);
  }

  async #enter(label: string, text: string): Promise<void> {
    const who = this.section.locator(".who");
    if ((await who.getAttribute("open")) === null) await who.locator("summary").click();
    await who.getByLabel(label).fill(text);
    await who.getByRole("button", { name: "Enter" }).click();
  }

  live(): Promise<void> {
    return seen(this.line.filter({ hasText: "Live" }));
  }

  /** An hour that is free, to be chosen. */
  hour(time: string): Locator {
    return this.section.locator(".free").getByRole("button", { name: time });
  }

  /** The booking that begins at a time, in a status where one is named. */
  booking(time: string, status?: string): Locator {
    const booking = this.section.locator(".booking").filter({ has: this.page.locator("time", { hasText: time }) });
    return status === undefined ? booking : booking.filter({ has: this.page.locator(".status").getByText(status, { exact: true }) });
  }

  /** Chooses an hour, and fills in what the form asks for. */
  async choose(time: string, fields: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.hour(time).click();
    await this.fill(fields);
  }

  async fill(fields: Readonly<Record<string, string>>): Promise<void> {
    for (const [label, text] of Object.entries(fields)) await this.section.locator("form.inline").getByLabel(label, { exact: true }).fill(text);
  }

  async book(time: string, fields: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.choose(time, fields);
    await this.press("Book");
  }

  async press(name: string): Promise<void> {
    await this.section.getByRole("button", { name, exact: true }).click();
  }

  /** What is said at a field; it is the field's description for those who hear it, too. */
  async wrongAt(label: string): Promise<string> {
    const field = this.section.getByLabel(label, { exact: true }).and(this.page.locator("[aria-invalid=true]"));
    await seen(field);
    const id = await field.getAttribute("aria-describedby");
    assert.ok(id, `what is wrong at ${label} is not tied to it`);
    return (await this.page.locator(`[id="${id}"]`).textContent()) ?? "";
  }

  /** The numbers in their feed, the newest first. */
  numbers(): Promise<string[]> {
    return this.section.locator(".entry .number").allTextContents();
  }
}

/** Waits until something is seen. */
export function seen(what: Locator): Promise<void> {
  return what.first().waitFor();
}

/** Waits until nothing of it is there. */
export function gone(what: Locator): Promise<void> {
  return what.waitFor({ state: "detached" });
}

/** Two people whom nobody else is, side by side. */
export async function twoPeople(page: Page): Promise<{ customer: Side; provider: Side; names: Readonly<Record<Role, string>> }> {
  const [customer, provider] = [new Side(page, "customer"), new Side(page, "provider")];
  const names = { customer: somebody("anna"), provider: somebody("ben") };
  await customer.become(names.customer);
  await provider.become(names.provider);
  return { customer, provider, names };
}
