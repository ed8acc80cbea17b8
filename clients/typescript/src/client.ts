import { createClient as createServiceClient, type Client } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import type { BackoffOptions } from "./backoff.js";
import { Feed, type FeedOptions } from "./feed.js";
import { BookingService } from "./gen/bookings/v1/booking_service_pb.js";
import { EventService } from "./gen/bookings/v1/event_service_pb.js";
import { authenticate, explain, nameCreates, retry } from "./interceptors.js";
import type { GetToken } from "./token.js";

export interface ClientOptions {
  /** Such as https://api.example.com, in a page also location.origin. */
  readonly baseUrl: string;
  readonly getToken: GetToken;
  /** In place of the global one. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** How long a call may take, all tries together; without it as long as the server lets it. */
  readonly timeoutMs?: number | undefined;
  /** How calls are tried again. */
  readonly retry?: BackoffOptions | undefined;
}

/** A client of one server, for one user in one role. */
export interface Bookings {
  readonly bookings: Client<typeof BookingService>;
  readonly events: Client<typeof EventService>;
  /** The user's feed, to be read in a loop. */
  feed(options?: Omit<FeedOptions, "baseUrl" | "getToken">): Feed;
}

export function createClient(options: ClientOptions): Bookings {
  const { baseUrl, getToken, fetch, timeoutMs } = options;
  const transport = createConnectTransport({
    baseUrl,
    ...(fetch && { fetch }), // the transport's own types want no undefined
    ...(timeoutMs !== undefined && { defaultTimeoutMs: timeoutMs }),
    // The first is the outermost: each try gets its token, and all tries one key.
    interceptors: [explain, nameCreates, retry(options.retry), authenticate(getToken)],
  });
  return {
    bookings: createServiceClient(BookingService, transport),
    events: createServiceClient(EventService, transport),
    feed: (feedOptions) => new Feed({ ...feedOptions, baseUrl, getToken }),
  };
}
