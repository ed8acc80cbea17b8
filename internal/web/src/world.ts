import { BookingStatus, type Booking } from "@bookings/client";
import { changed } from "./changes.js";
import { addMinutes, at, midnight } from "./day.js";
import { end, Person, start } from "./person.js";
import { mint, minted, type Identity, type Role } from "./token.js";

/** Two people who can do things together. */
export interface Both {
  readonly customer: Person;
  readonly provider: Person;
}

/** What the page is about. */
export const world: { day: Date } & Partial<Both> = {
  /** The day that is looked at: its midnight, in the reader's zone. */
  day: midnight(new Date(), 1),
};

/** Both, where both are there: what needs two people waits for them. */
export function both(): Both | undefined {
  const { customer, provider } = world;
  return customer && provider && { customer, provider };
}

/** Another person on one side. */
export function enter(identity: Identity): void {
  world[identity.role]?.leave();
  Object.assign(world, { [identity.role]: new Person(identity, world.day) });
  changed();
}

/** Where tokens are made there are two people at once; else theirs are pasted. */
export function open(): void {
  if (mint === "") return;
  enter(minted("customer", "alice"));
  enter(minted("provider", "bob"));
}

/** Both look at another day. */
export function turnTo(day: Date): void {
  world.day = day;
  void world.customer?.look(day);
  void world.provider?.look(day);
  changed();
}

export function otherSide(role: Role): Role {
  return role === "customer" ? "provider" : "customer";
}

function holdsSlot({ status }: Booking): boolean {
  return status === BookingStatus.PENDING || status === BookingStatus.CONFIRMED;
}

const firstHour = 8;
const lastHour = 18;

/**
 * The hours of a day in which a person has nothing. Others may hold them: the server
 * knows. A provider can also record what was agreed without us, in hours that have passed.
 */
export function freeHours(person: Person, of: Date, now: Date): Date[] {
  const hours = Array.from({ length: lastHour - firstHour }, (_, i) => at(of, firstHour + i));
  const held = person.bookings.filter(holdsSlot);
  return hours.filter((hour) => (hour > now || person.role === "provider") && !held.some((b) => start(b) < addMinutes(hour, 60) && end(b) > hour));
}
