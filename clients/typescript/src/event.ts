import type { Place } from "./place.js";

/** What events tell of a booking: the names of the enums are those of the API. */
export interface BookingFacts {
  readonly bookingId: string;
  readonly providerId: string;
  readonly customerId: string;
  readonly startTime: string;
  readonly endTime: string;
  readonly status: string;
  /** Orders the states of a booking; older events have none. */
  readonly version?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What a reminder tells. */
export type ReminderFacts = Omit<BookingFacts, "endTime" | "status"> & { readonly leadSeconds: number };

interface Entry<Type extends string, Facts> {
  readonly specversion: "1.0";
  /** The same in both parties' feeds. */
  readonly id: string;
  readonly source: string;
  readonly type: Type;
  /** The booking's id. */
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: "application/json";
  /** The number in this feed, 19 digits. */
  readonly sequence: string;
  /** The id of the entry before; empty for the first. */
  readonly previousid: string;
  readonly data: Facts;
}

/** An entry of a feed, a CloudEvent. Pass over types that you do not know: later versions may send others. */
export type FeedEvent =
  | Entry<
      "booking.created" | "booking.confirmed" | "booking.updated" | "booking.completed" | "booking.no_show",
      BookingFacts
    >
  | Entry<"booking.cancelled", BookingFacts & { readonly reason: string; readonly cancelledBy: string }>
  | Entry<
      "booking.rescheduled",
      BookingFacts & { readonly previousStartTime: string; readonly previousEndTime: string }
    >
  | Entry<"booking.reminder.due", ReminderFacts>;

/** The frame that opens a socket, and that answers a new token. */
export interface Ready {
  readonly type: "stream.ready";
  readonly time: string;
  readonly data: {
    readonly sequence: string;
    readonly id: string;
    readonly resumed: boolean;
    readonly expiresAt: string;
    readonly pingInterval: number;
  };
}

/** What the server sends. */
export type Frame = FeedEvent | Ready | { readonly type: "stream.error" | "stream.pong" };

export function isEvent(frame: Frame): frame is FeedEvent {
  return "sequence" in frame;
}

export function placeOf(entry: { readonly sequence: string; readonly id: string }): Place {
  return { sequence: entry.sequence, id: entry.id };
}

/** Whether an event is the next one after a place, of the same history. */
export function follows(place: Place, event: FeedEvent): boolean {
  const last = BigInt(place.sequence);
  const known = place.id !== "" || last === 0n;
  return BigInt(event.sequence) === last + 1n && (!known || (event.previousid ?? "") === place.id);
}
