import { BookingsError, type FeedEvent } from "@bookings/client";
import { clock, shortDay } from "./day.js";
import { NoToken } from "./token.js";

/** What is wrong, for people: at the fields that are at fault, or with the call as a whole. */
export interface Problem {
  /** By the field's name in the API's JSON, such as startTime. */
  readonly fields: Readonly<Record<string, string>>;
  /** What belongs to none of the fields that the form has. */
  readonly text: string;
}

interface Sentence {
  readonly text: string;
  readonly field?: string;
}

/** What people are told, by the error's reason. */
const sentences: Readonly<Record<string, Sentence>> = {
  SLOT_TAKEN: { field: "startTime", text: "This time is taken. Choose another." },
  START_IN_PAST: { field: "startTime", text: "This time has passed. Choose one that is to come." },
  TOO_MANY_PENDING: { text: "Too many of your bookings here wait for an answer. Let some be confirmed, or cancel them." },
  TOO_MANY_MOVES: { text: "This booking has been moved too often. Cancel it, and book anew." },
  INVALID_TRANSITION: { text: "That cannot be done any more, as the booking stands now." },
  ETAG_MISMATCH: { text: "The other side has changed this booking meanwhile. Look at it again." },
  BOOKING_NOT_FOUND: { text: "This booking is not there, or is not yours." },
  IDEMPOTENCY_KEY_REUSED: { text: "This key has made another booking already." },
  NOT_ALLOWED: { text: "You may not do that." },
  TOKEN_MISSING: { text: "There is no token. Paste one above." },
  TOKEN_INVALID: { text: "The server does not take this token. Paste another above." },
  TOKEN_EXPIRED: { text: "This token has expired. Paste another above." },
  SHUTTING_DOWN: { text: "The server is restarting. Try again in a moment." },
  DATABASE_UNAVAILABLE: { text: "The server cannot reach its database. Try again in a moment." },
};

/** An error in words, for a form that has these fields. */
export function problemOf(cause: unknown, has: readonly string[] = []): Problem {
  if (!(cause instanceof BookingsError)) return { fields: {}, text: (cause as Error).message }; // one of this page's own
  if (cause.cause instanceof NoToken) return problemOf(cause.cause);
  if (cause.reason === "VALIDATION_FAILED") return violations(cause, has);
  const { field, text } = sentences[cause.reason] ?? { text: unexpected(cause) };
  return field !== undefined && has.includes(field) ? { fields: { [field]: text }, text: "" } : { fields: {}, text };
}

function violations(error: BookingsError, has: readonly string[]): Problem {
  const fields: Record<string, string> = {};
  const others: string[] = [];
  for (const { field, description } of error.fields) {
    const name = field.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    if (has.includes(name)) fields[name] = sentence(description);
    else others.push(`${name}: ${description}`);
  }
  const text = others.length > 0 || error.fields.length === 0 ? sentence(others.join("; ") || error.rawMessage) : "";
  return { fields, text };
}

function unexpected(error: BookingsError): string {
  if (error.reason === "RATE_LIMITED") return `That was too much in one minute. Try again in ${error.retryAfter ?? 60} seconds.`;
  if (error.reason === "") return `The server has not answered: ${sentence(error.rawMessage || "something in between has")}`;
  return `${sentence(error.rawMessage)} (${error.reason}, request ${error.requestId ?? "unknown"})`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

export function noProblem(): Problem {
  return { fields: {}, text: "" };
}

/** What an event tells, as its reader would say it. */
export function eventInWords(event: FeedEvent): string {
  switch (event.type) {
    case "booking.created":
      return event.data.status === "BOOKING_STATUS_PENDING"
        ? `${event.data.customerId} asks ${event.data.providerId} for ${span(event.data)}`
        : `${event.data.providerId} has booked ${span(event.data)} for ${event.data.customerId}`;
    case "booking.confirmed":
      return `${event.data.providerId} confirms ${span(event.data)}`;
    case "booking.rescheduled":
      return `moved from ${moment(event.data.previousStartTime)} to ${span(event.data)}${awaited(event.data.status)}`;
    case "booking.cancelled":
      return `${canceller(event.data)} ${span(event.data)}${event.data.reason && `: ${event.data.reason}`}`;
    case "booking.updated":
      return `the note of ${span(event.data)} has changed`;
    case "booking.completed":
      return `${span(event.data)} took place`;
    case "booking.no_show":
      return `${event.data.customerId} did not come to ${span(event.data)}`;
    case "booking.reminder.due":
      return `reminder: ${event.data.customerId} is with ${event.data.providerId} at ${moment(event.data.startTime)}`;
    default: // a later version may send others
      return (event as FeedEvent).type;
  }
}

function span({ startTime, endTime }: { startTime: string; endTime: string }): string {
  return `${moment(startTime)} – ${clock(new Date(endTime))}`;
}

function moment(time: string): string {
  return `${shortDay(new Date(time))}, ${clock(new Date(time))}`;
}

function awaited(status: string): string {
  return status === "BOOKING_STATUS_PENDING" ? ", to be confirmed" : "";
}

function canceller({ cancelledBy, customerId, providerId }: { cancelledBy: string; customerId: string; providerId: string }): string {
  if (cancelledBy === "ROLE_CUSTOMER") return `${customerId} cancels`;
  if (cancelledBy === "ROLE_PROVIDER") return `${providerId} cancels`;
  return cancelledBy === "ROLE_SYSTEM" ? "nobody answered, which ends" : "a service cancels";
}
