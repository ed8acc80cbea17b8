/** Midnight of a day, in the reader's own zone. */
export function midnight(of: Date, days = 0): Date {
  return new Date(of.getFullYear(), of.getMonth(), of.getDate() + days);
}

/** A time of a day as its clock shows it: also right on the days that have 23 or 25 hours. */
export function at(day: Date, hours: number, minutes = 0): Date {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate(), hours, minutes);
}

/** Such as 2026-06-01, as date fields have it. */
export function dateField(day: Date): string {
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

/** Such as 09:00, as time fields have it. */
export function timeField(time: Date): string {
  return `${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** The time that a date field and a time field name; undefined where one is empty. */
export function fromFields(date: string, time: string): Date | undefined {
  const read = new Date(`${date}T${time}`);
  return Number.isNaN(read.getTime()) ? undefined : read;
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}

export function clock(time: Date): string {
  return time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

export function dayName(day: Date): string {
  return day.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long", year: "numeric" });
}

export function shortDay(day: Date): string {
  return day.toLocaleDateString([], { day: "numeric", month: "short" });
}

/** The reader's zone, such as Europe/Berlin. */
export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function addMinutes(time: Date, minutes: number): Date {
  return new Date(time.getTime() + minutes * 60_000);
}
