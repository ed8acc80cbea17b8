// The client of Bookings: calls, and a feed that can be read in a loop.
export { createClient, type Bookings, type ClientOptions } from "./client.js";
export type { FieldViolation } from "./details.js";
export { BookingsError } from "./error.js";
export { Feed, type Connected, type FeedOptions, type Reset } from "./feed.js";
export type { BookingFacts, FeedEvent, ReminderFacts } from "./event.js";
export { localStoragePlace, memoryPlace, type Place, type PlaceStore } from "./place.js";
export type { GetToken, TokenRequest } from "./token.js";
export type { Socket, SocketConstructor } from "./socket.js";
export type { Lost } from "./connection.js";
export type { BackoffOptions } from "./backoff.js";
export { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
export * from "./gen/bookings/v1/booking_pb.js";
export * from "./gen/bookings/v1/booking_service_pb.js";
export * from "./gen/bookings/v1/event_pb.js";
export * from "./gen/bookings/v1/event_service_pb.js";
