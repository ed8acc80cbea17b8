import { until } from "./changes.js";
import { freeHour, hourName, slot } from "./slots.js";
import type { Person } from "./person.js";
import { Trick, type Say } from "./trick.js";
import type { Both } from "./world.js";

/** The customer hears nothing for a while, and has missed nothing. */
export const cut = new Trick("Cut the line", "The customer's socket is dropped, things happen, it resumes: what was missed comes in order, nothing twice.", run);

/** How many events things() makes. */
const missed = 3n;

async function run(both: Both, say: Say): Promise<void> {
  const { customer } = both;
  const hour = await freeHour(both);
  customer.line.mend(); // it may have been cut by hand
  await until(() => customer.state.is === "open" && customer.place !== undefined);
  const from = customer.place!;
  customer.line.cut();
  say(`${customer.id}'s line is cut, at number ${from}.`);
  try {
    await things(both, hour, say);
    say(`${customer.id} has heard nothing: still at number ${customer.place}.`, { kept: customer.place === from });
  } finally {
    customer.line.mend();
  }
  await until(() => (customer.place ?? 0n) >= from + missed);
  const numbers = heard(customer, from);
  const kept = numbers.every((number, i) => number === from + BigInt(i + 1)) && BigInt(numbers.length) >= missed;
  say(`The line is back: ${numbers.join(", ")} are replayed, in order, each once.`, { kept });
}

async function things({ customer, provider }: Both, hour: Date, say: Say): Promise<void> {
  const { bookings } = provider.client;
  const { booking } = await bookings.createBooking({ customerId: customer.id, ...slot(hour) });
  const { id } = booking!;
  await bookings.updateBooking({ id, note: "only to show it" });
  provider.hold([(await bookings.cancelBooking({ id, reason: "only to show it" })).booking]);
  say(`Meanwhile ${provider.id} has booked ${hourName(hour)}, written a note, and cancelled it.`);
}

/** The numbers after one, in the order in which they came. */
function heard(person: Person, after: bigint): bigint[] {
  return person.entries.filter(({ number }) => number > after).map(({ number }) => number).reverse();
}
