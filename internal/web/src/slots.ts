import { timestampFromDate } from "@bookings/client";
import { addMinutes, clock, midnight } from "./day.js";
import { freeHours, turnTo, world, type Both } from "./world.js";

/** An hour that nobody has, on the day that is shown or, where that is full, on one after it. */
export async function freeHour({ customer, provider }: Both): Promise<Date> {
  for (let tries = 0; tries < 60; tries++) {
    await Promise.all([customer.look(world.day), provider.look(world.day)]);
    const theirs = new Set(freeHours(customer, world.day, new Date()).map(Number));
    const hour = freeHours(provider, world.day, new Date()).find((each) => theirs.has(Number(each)));
    if (hour) return hour;
    turnTo(midnight(world.day, 1));
  }
  throw new Error("Sixty days are full: choose a later one.");
}

/** The hour as calls name it. */
export function slot(hour: Date) {
  return { startTime: timestampFromDate(hour), endTime: timestampFromDate(addMinutes(hour, 60)) };
}

export function hourName(hour: Date): string {
  return `${clock(hour)} – ${clock(addMinutes(hour, 60))}`;
}
