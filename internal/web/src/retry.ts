import { BookingsError } from "@bookings/client";
import { freeHour, hourName, slot } from "./slots.js";
import { Trick, type Say } from "./trick.js";
import type { Both } from "./world.js";

/** An answer that was lost, and the same call again. */
export const retry = new Trick("Retry", "The same call with the same key again: the same booking, and nothing happens twice.", run);

async function run(both: Both, say: Say): Promise<void> {
  const { customer, provider } = both;
  const hour = await freeHour(both);
  const request = { providerId: provider.id, ...slot(hour), idempotencyKey: crypto.getRandomValues(new Uint32Array(4)).join("-") };
  const create = async (note: string) => {
    let replayed = false;
    const onHeader = (headers: Headers) => void (replayed = headers.get("Idempotent-Replayed") === "true");
    const { booking } = await customer.client.bookings.createBooking({ ...request, note }, { onHeader });
    customer.hold([booking]);
    return { id: booking!.id, replayed };
  };
  const first = await create("");
  say(`${customer.id} has booked ${hourName(hour)}: booking …${first.id.slice(-6)}.`, { kept: !first.replayed });
  const again = await create("");
  say(`The same call again, as after a lost answer: booking …${again.id.slice(-6)}, said to be replayed.`, { kept: again.id === first.id && again.replayed });
  const reason = await create("something else").then(() => "OK", (error) => BookingsError.of(error).reason);
  say(`Another call with this key: ${reason}.`, { kept: reason === "IDEMPOTENCY_KEY_REUSED" });
}
