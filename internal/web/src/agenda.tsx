import type { Booking } from "@bookings/client";
import { useRef, useState } from "preact/hooks";
import { BookForm } from "./book-form.js";
import { BookingCard } from "./booking-card.js";
import { clock } from "./day.js";
import { focus, useFocusKept } from "./focus.js";
import { start, type Person } from "./person.js";
import { freeHours, world } from "./world.js";

/** A person's day: bookings, and between them the hours that are free for more. */
export function Agenda({ person }: { person: Person }) {
  const [chosen, choose] = useState<number | undefined>(undefined);
  const [made, setMade] = useState("");
  const section = useRef<HTMLElement>(null);
  const open = useRef(chosen);
  open.current = chosen;
  useFocusKept(section);
  const now = new Date();
  const rows = inOrder(person.bookingsOn(world.day), withChosen(freeHours(person, world.day, now), chosen), now);
  const done = (id = "") => {
    if (open.current !== chosen) return; // another hour was chosen before the answer came
    if (id === "") focus(section.current!.querySelector(".free [aria-expanded=true]"));
    setMade(id);
    choose(undefined);
  };
  return (
    <section class="agenda" aria-label={`Day of ${person.id}`} ref={section} tabIndex={-1}>
      <ol>
        {rows.flatMap((row) => {
          if (!Array.isArray(row)) return <BookingCard key={row.id} person={person} booking={row} made={row.id === made} />;
          const hour = row.find((each) => Number(each) === chosen);
          const hours = <FreeHours key={Number(row[0])} hours={row} now={now} chosen={hour} choose={choose} />;
          // By a key of its own the form stays, whatever becomes of the hours around it.
          return hour ? [hours, <li key="form"><BookForm key={chosen} person={person} hour={hour} onDone={done} /></li>] : hours;
        })}
      </ol>
      {rows.length === 0 && <p class="quiet">Nothing on this day, and its hours have passed.</p>}
    </section>
  );
}

/** An hour stays as long as its form is open: what the other side books meanwhile must not take the form away. */
function withChosen(free: readonly Date[], chosen: number | undefined): Date[] {
  const missing = chosen !== undefined && !free.some((hour) => Number(hour) === chosen);
  return missing ? [...free, new Date(chosen)].sort((a, b) => Number(a) - Number(b)) : [...free];
}

/** Bookings by their start; free hours that follow on each other are one row, up to now or from now on. */
function inOrder(bookings: readonly Booking[], free: readonly Date[], now: Date): (Booking | Date[])[] {
  const rows: (Booking | Date[])[] = [];
  let left = [...free];
  const take = (belongs: (hour: Date) => boolean) => {
    const taken = left.filter(belongs);
    left = left.filter((hour) => !belongs(hour));
    rows.push(taken.filter((hour) => hour <= now), taken.filter((hour) => hour > now));
  };
  for (const booking of bookings) {
    take((hour) => hour < start(booking));
    rows.push(booking);
  }
  take(() => true);
  return rows.filter((row) => !Array.isArray(row) || row.length > 0);
}

interface FreeHoursProps {
  readonly hours: readonly Date[];
  readonly now: Date;
  readonly chosen: Date | undefined;
  readonly choose: (hour: number | undefined) => void;
}

function FreeHours({ hours, now, chosen, choose }: FreeHoursProps) {
  return (
    <li class="free">
      <span class="quiet">{hours[0]! > now ? "Free:" : "To record:"}</span>
      {hours.map((each) => (
        <button key={Number(each)} type="button" aria-expanded={each === chosen} onClick={() => choose(each === chosen ? undefined : Number(each))}>
          <time dateTime={each.toISOString()}>{clock(each)}</time>
        </button>
      ))}
    </li>
  );
}
