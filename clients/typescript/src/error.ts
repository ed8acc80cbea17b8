import { Code, ConnectError } from "@connectrpc/connect";
import { errorInfo, fieldViolations, type FieldViolation } from "./details.js";

/**
 * An error of a call. Decide by its reason: sentences change. A call that you
 * abort, or whose time has run out, fails with a ConnectError; `BookingsError.of`
 * makes one of these of anything that a call can fail with.
 *
 * Its `name` stays that of ConnectError, which is how connect knows its own.
 */
export class BookingsError extends ConnectError {
  /** Such as SLOT_TAKEN; empty where no answer came, and where getToken failed: its error is the `cause`. */
  readonly reason: string;
  /** The facts beside the reason, such as `head` for SEQUENCE_OUT_OF_RANGE. */
  readonly facts: Readonly<Record<string, string>>;
  /** The fields at fault, for VALIDATION_FAILED. */
  readonly fields: readonly FieldViolation[];
  /** Names this call in the server's log. */
  readonly requestId: string | undefined;
  /** How many seconds to wait before the next try, for RATE_LIMITED. */
  readonly retryAfter: number | undefined;

  constructor(of: ConnectError) {
    super(of.rawMessage, of.code, of.metadata, undefined, of.cause);
    this.details = of.details;
    const info = errorInfo(of);
    this.reason = info.reason;
    this.facts = info.metadata;
    this.fields = fieldViolations(of);
    this.requestId = of.metadata.get("X-Request-Id") ?? undefined;
    const wait = of.metadata.get("Retry-After");
    this.retryAfter = wait === null ? undefined : Number(wait);
  }

  /** What fetch fails with is a lost line: no answer has come. */
  static of(error: unknown): BookingsError {
    if (error instanceof BookingsError) return error;
    return new BookingsError(ConnectError.from(error, Code.Unavailable));
  }

  /** ConnectError's own takes any ConnectError for one. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && BookingsError.prototype.isPrototypeOf(value);
  }
}
