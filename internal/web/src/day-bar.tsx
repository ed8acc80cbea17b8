import { dateField, dayName, fromFields, midnight, zone } from "./day.js";
import { turnTo, world } from "./world.js";

/** The day that both look at. */
export function DayBar() {
  const choose = (date: string) => {
    const chosen = fromFields(date, "00:00");
    if (chosen) turnTo(chosen);
  };
  return (
    <section class="day-bar" aria-label="Day">
      <button type="button" onClick={() => turnTo(midnight(world.day, -1))} aria-label="The day before">
        ←
      </button>
      <button type="button" onClick={() => turnTo(midnight(world.day, 1))} aria-label="The day after">
        →
      </button>
      <input type="date" aria-label="Day" value={dateField(world.day)} onChange={(e) => choose(e.currentTarget.value)} />
      <h2 aria-live="polite">{dayName(world.day)}</h2>
      <span class="quiet">Times are in your zone, {zone}.</span>
    </section>
  );
}
