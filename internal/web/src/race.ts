import { BookingsError } from "@bookings/client";
import { freeHour, hourName, slot } from "./slots.js";
import { Trick, type Say } from "./trick.js";
import type { Both } from "./world.js";

const calls = 20;

/** Both want the same hour, with many calls at once, each with a key of its own. */
export const race = new Trick("Race", "Both book the same hour at once, twenty times: one call wins, nineteen are told SLOT_TAKEN.", run);

async function run(both: Both, say: Say): Promise<void> {
  const hour = await freeHour(both);
  const asked = Array.from({ length: calls }, (_, i) => book(both, hour, i % 2 === 0));
  say(`${calls} calls for ${hourName(hour)} are on their way.`);
  const outcomes = await Promise.all(asked);
  const won = outcomes.filter((outcome) => outcome.endsWith("won")).length;
  const taken = outcomes.filter((outcome) => outcome.endsWith("SLOT_TAKEN")).length;
  say(`${won} won, ${taken} were told SLOT_TAKEN.`, { kept: won === 1 && taken === calls - 1, outcomes });
}

async function book({ customer, provider }: Both, hour: Date, byCustomer: boolean): Promise<string> {
  const caller = byCustomer ? customer : provider;
  const request = byCustomer ? { providerId: provider.id } : { customerId: customer.id };
  try {
    const { booking } = await caller.client.bookings.createBooking({ ...request, ...slot(hour) });
    caller.hold([booking]);
    return `${caller.id} won`;
  } catch (error) {
    return `${caller.id} ${BookingsError.of(error).reason || "no answer"}`;
  }
}
