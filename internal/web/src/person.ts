import { createClient, localStoragePlace, timestampDate, timestampFromDate } from "@bookings/client";
import type { Booking, Bookings, Connected, Feed, FeedEvent, Lost } from "@bookings/client";
import { recorded } from "./calls.js";
import { changed } from "./changes.js";
import { midnight } from "./day.js";
import { Line } from "./line.js";
import { Moments } from "./moments.js";
import type { Identity, Role } from "./token.js";
import { eventInWords, problemOf } from "./words.js";

/** An entry of a feed, as it is shown. */
export interface Entry {
  readonly number: bigint;
  readonly id: string;
  readonly type: string;
  readonly words: string;
  readonly time: Date;
  /** It happened while the line was down. */
  readonly replayed: boolean;
}

export type LineState = { readonly is: "connecting" } | { readonly is: "open" } | { readonly is: "lost" | "ended"; readonly why: string };

/** The close code of a token that is bad or has expired. */
const unauthorized = 4401;
const mostEntries = 50;
const backoff = { first: 200, most: 1_500 };

/** Somebody who is logged in: their bookings, their feed, and what they call with. */
export class Person {
  readonly line = new Line();
  state: LineState = { is: "connecting" };
  /** The number of the newest entry that was seen; undefined before there was a line. */
  place: bigint | undefined;
  /** The newest first. */
  entries: readonly Entry[] = [];
  /** What has gone wrong with reading, in words. */
  trouble = "";
  readonly client: Bookings;
  readonly #all = new Map<string, Booking>();
  readonly #moments = new Moments(() => this.bookingsOn(this.day), (id) => this.#read(id));
  readonly #feed: Feed;
  #head = 0n;

  constructor(
    readonly identity: Identity,
    private day: Date,
  ) {
    const { getToken, role, userId } = identity;
    this.client = createClient({ baseUrl: location.origin, getToken, fetch: recorded(identity) });
    this.#feed = this.client.feed({
      store: localStoragePlace(`bookings: feed of ${role} ${userId}`),
      backoff,
      webSocket: this.line.socket,
      onConnected: (connected) => this.#connected(connected),
      // Also where it begins: only what is listed after the feed's head is known has all up to it.
      onReset: () => this.look(this.day),
      onLost: (lost) => this.#lost(lost),
    });
    void this.look(day);
    this.#follow().catch((error) => this.#suffer(problemOf(error).text));
  }

  get role(): Role {
    return this.identity.role;
  }

  get id(): string {
    return this.identity.userId;
  }

  /** All that is held, in order of their start. */
  get bookings(): Booking[] {
    return [...this.#all.values()].sort((a, b) => start(a).getTime() - start(b).getTime());
  }

  bookingsOn(day: Date): Booking[] {
    return this.bookings.filter((booking) => start(booking) >= day && start(booking) < midnight(day, 1));
  }

  /** Reads the bookings of a day. */
  async look(day: Date): Promise<void> {
    this.day = day;
    try {
      let pageToken = "";
      do {
        const page = await this.client.bookings.listBookings({
          startTimeFrom: timestampFromDate(day),
          startTimeTo: timestampFromDate(midnight(day, 1)),
          pageSize: 200,
          pageToken,
        });
        this.hold(page.bookings);
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      this.#suffer("");
    } catch (error) {
      this.#suffer(problemOf(error).text);
    }
  }

  /** Takes bookings over, where they are later states than what is held. */
  hold(bookings: readonly (Booking | undefined)[]): void {
    for (const booking of bookings) {
      if (!booking || booking.version < (this.#all.get(booking.id)?.version ?? 0n)) continue;
      this.#all.set(booking.id, booking);
      this.#moments.answered(booking.id);
    }
    this.#moments.wait();
    changed();
  }

  /** Ends the feed; nothing is shown of this person any more. */
  leave(): void {
    this.#feed.close();
    this.#moments.stop();
  }

  async #follow(): Promise<void> {
    for await (const event of this.#feed) {
      this.#show(event);
      if (this.#isNews(event)) void this.#read(event.subject);
    }
  }

  #connected({ resumed, head }: Connected): void {
    this.state = { is: "open" };
    this.#head = BigInt(head.sequence);
    if (!resumed) this.place = this.#head;
    this.#suffer("");
    this.#moments.wait();
  }

  #lost({ code, reason }: Lost): void {
    const ended = code === unauthorized && !this.identity.renewable;
    this.state = { is: ended ? "ended" : "lost", why: reason || `close code ${code}` };
    changed();
    if (!ended) return;
    this.#suffer("This token has expired, or is refused. Paste another.");
    this.leave();
  }

  #show(event: FeedEvent): void {
    const number = BigInt(event.sequence);
    const entry: Entry = {
      number,
      id: event.id,
      type: event.type,
      words: eventInWords(event),
      time: new Date(event.time),
      replayed: number <= this.#head,
    };
    this.place = number;
    this.entries = [entry, ...this.entries].slice(0, mostEntries);
    changed();
  }

  /** Whether it tells what the answers to this person's own calls have not told. */
  #isNews(event: FeedEvent): boolean {
    const held = this.#all.get(event.subject);
    if (held === undefined) return midnight(new Date(event.data.startTime)).getTime() === this.day.getTime();
    return event.type === "booking.reminder.due" || BigInt(event.data.version ?? 0) > held.version;
  }

  /** An event has no actions and no note: they differ from reader to reader, and can be long. */
  async #read(id: string): Promise<void> {
    try {
      this.hold([(await this.client.bookings.getBooking({ id })).booking]);
    } catch (error) {
      this.#moments.missed(id);
      this.#suffer(problemOf(error).text);
    }
  }

  #suffer(trouble: string): void {
    this.trouble = trouble;
    changed();
  }
}

export function start(booking: Booking): Date {
  return timestampDate(booking.startTime!);
}

export function end(booking: Booking): Date {
  return timestampDate(booking.endTime!);
}
