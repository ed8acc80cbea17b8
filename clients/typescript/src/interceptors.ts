import { Code, ConnectError, type Interceptor, type StreamRequest, type UnaryRequest } from "@connectrpc/connect";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Backoff, pause, type BackoffOptions } from "./backoff.js";
import { BookingsError } from "./error.js";
import { BookingService, type CreateBookingRequest } from "./gen/bookings/v1/booking_service_pb.js";
import type { GetToken } from "./token.js";

type Request = UnaryRequest | StreamRequest;

/** Makes BookingsError of all that calls fail with. */
export const explain: Interceptor = (next) => async (request) => {
  const response = await next(request).catch((error) => {
    throw BookingsError.of(error);
  });
  return response.stream ? { ...response, message: explained(response.message) } : response;
};

async function* explained<T>(messages: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw BookingsError.of(error);
  }
}

/** A create has a key before it is tried, so that it books once however often it is tried. */
export const nameCreates: Interceptor = (next) => (request) => {
  if (isCreate(request) && !request.header.has(keyHeader) && request.message.idempotencyKey === "") {
    request.header.set(keyHeader, newKey());
  }
  return next(request);
};

const keyHeader = "Idempotency-Key";

function isCreate(request: Request): request is UnaryRequest & { message: CreateBookingRequest } {
  return request.method === BookingService.method.createBooking;
}

/** Not randomUUID, which pages without TLS lack. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const tries = 4;
const longestWait = 30_000;

/** Tries again what may be done twice, and what was not done at all. */
export function retry(options: BackoffOptions = { first: 500, most: 5_000 }): Interceptor {
  return (next) => async (request) => {
    const backoff = new Backoff(options);
    for (let left = tries - 1; ; left--) {
      try {
        return await next(request);
      } catch (cause) {
        const error = BookingsError.of(cause);
        const wait = waitFor(request, error, backoff);
        if (left === 0 || wait === undefined || request.signal.aborted) throw error;
        await pause(wait, request.signal);
      }
    }
  };
}

/** How long to wait for another try; undefined where there is to be none. */
function waitFor(request: Request, error: BookingsError, backoff: Backoff): number | undefined {
  if (request.stream) return undefined;
  if (error.reason === "RATE_LIMITED" && error.retryAfter !== undefined) {
    const wait = error.retryAfter * 1_000;
    return wait > longestWait ? undefined : wait;
  }
  return passes(error) && isRepeatable(request) ? backoff.next() : undefined;
}

function passes({ code }: BookingsError): boolean {
  return code === Code.Unavailable || code === Code.DeadlineExceeded;
}

const { cancelBooking, cancelBookings, completeBooking, markBookingNoShow } = BookingService.method;
const final: ReadonlySet<unknown> = new Set([cancelBooking, cancelBookings, completeBooking, markBookingNoShow]);

/**
 * Whether a call that may have been done can be made again: reads, creates (by
 * their key), what nobody can undo in between, and changes of one version. Another
 * confirm, say, could confirm what the customer has moved since.
 */
function isRepeatable(request: UnaryRequest): boolean {
  const reads = request.method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
  const { etag } = request.message as { etag?: string };
  return reads || isCreate(request) || final.has(request.method) || Boolean(etag);
}

/** Brings the token, and a fresh one where that is refused: nothing has been done then. */
export function authenticate(getToken: GetToken): Interceptor {
  return (next) => async (request) => {
    await bringToken(request, getToken, false);
    try {
      return await next(request);
    } catch (error) {
      if (request.stream || BookingsError.of(error).code !== Code.Unauthenticated) throw error;
    }
    await bringToken(request, getToken, true);
    return next(request);
  };
}

/** Where there is no token to be had the call fails at once: whether to ask again is for getToken to know. */
async function bringToken(request: Request, getToken: GetToken, fresh: boolean): Promise<void> {
  try {
    request.header.set("Authorization", `Bearer ${await getToken({ fresh })}`);
  } catch (cause) {
    throw new BookingsError(new ConnectError(`no token: ${cause}`, Code.Unauthenticated, undefined, undefined, cause));
  }
}
