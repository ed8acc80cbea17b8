import { timestampDate, type Booking } from "@bookings/client";
import { serverTime } from "./server-time.js";

/** The longest that a browser's timer waits. */
const longest = 2 ** 31 - 1;

/**
 * What may be done with a booking is about the moment of its answer. Here bookings are
 * asked for anew once they have started or ended since: by one timer, for the nearest
 * such moment of those that are shown.
 */
export class Moments {
  /** When each was answered, or asked for anew. */
  readonly #asked = new Map<string, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(
    private readonly shown: () => readonly Booking[],
    private readonly ask: (id: string) => unknown,
  ) {}

  answered(id: string): void {
    this.#asked.set(id, serverTime());
  }

  /** No answer came; it is asked for again with the next wait, which may be for a better line. */
  missed(id: string): void {
    this.#asked.delete(id);
  }

  /** Waits for the nearest moment of what is shown now. */
  wait(): void {
    clearTimeout(this.#timer);
    const next = Math.min(...this.shown().map((booking) => this.#next(booking)));
    if (this.#stopped || next === Infinity) return;
    this.#timer = setTimeout(() => this.#askDue(), Math.min(next - serverTime(), longest));
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #askDue(): void {
    const now = serverTime();
    const due = this.shown().filter((booking) => this.#next(booking) <= now);
    for (const { id } of due) this.#asked.set(id, now);
    this.wait();
    for (const { id } of due) this.ask(id);
  }

  /** Time gives nothing back: where nothing can be done any more there is none. */
  #next({ id, startTime, endTime, allowedActions }: Booking): number {
    if (allowedActions.length === 0) return Infinity;
    const asked = this.#asked.get(id) ?? 0;
    return Math.min(...[startTime!, endTime!].map((time) => Number(timestampDate(time))).filter((time) => time > asked));
  }
}
