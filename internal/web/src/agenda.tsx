import type { Booking } from "@bookings/client";
import { useState } from "preact/hooks";
import { BookForm } from "./book-form.js";
import { BookingCard } from "./booking-card.js";
import { clock, midnight } from "./day.js";
import { start, type Person } from "./person.js";
import { freeHours, world } from "./world.js";

/** A person's day: bookings, and between them the hours that are free for more. */
export function Agenda({ person }: { person: Person }) {
  const bookings = person.bookings.filter((booking) => isOn(booking, world.day));
  const free = freeHours(person, world.day, new Date());
  const rows = inOrder(bookings, free);
  return (
    <section class="agenda" aria-label={`Day of ${person.id}`}>
      <ol>
        {rows.map((row) =>
          Array.isArray(row) ? (
            <FreeHours key={row[0]!.getTime()} person={person} hours={row} />
          ) : (
            <BookingCard key={row.id} person={person} booking={row} />
          ),
        )}
      </ol>
      {rows.length === 0 && <p class="quiet">Nothing on this day, and its hours have passed.</p>}
    </section>
  );
}

function isOn(booking: Booking, day: Date): boolean {
  return start(booking) >= day && start(booking) < midnight(day, 1);
}

/** Bookings by their start; free hours that follow on each other are one row. */
function inOrder(bookings: readonly Booking[], free: readonly Date[]): (Booking | Date[])[] {
  const rows: (Booking | Date[])[] = [];
  let left = [...free];
  for (const booking of bookings) {
    rows.push(left.filter((hour) => hour < start(booking)), booking);
    left = left.filter((hour) => hour >= start(booking));
  }
  rows.push(left);
  return rows.filter((row) => !Array.isArray(row) || row.length > 0);
}

function FreeHours({ person, hours }: { person: Person; hours: readonly Date[] }) {
  const [chosen, choose] = useState<number | undefined>(undefined);
  const hour = hours.find((each) => each.getTime() === chosen);
  return (
    <li class="free">
      <span class="quiet">Free:</span>
      {hours.map((each) => (
        <button key={each.getTime()} type="button" aria-expanded={each === hour} onClick={() => choose(each === hour ? undefined : each.getTime())}>
          <time dateTime={each.toISOString()}>{clock(each)}</time>
        </button>
      ))}
      {hour && <BookForm key={chosen} person={person} hour={hour} onDone={() => choose(undefined)} />}
    </li>
  );
}
