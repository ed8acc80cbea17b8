// Package bookings is the Go client: calls that are safe to repeat, tokens that renew
// themselves, and feeds to range over.
//
//	import bookings "bookings/clients/go"
//
//	client, err := bookings.New(bookings.Options{URL: "https://api.example.com", Token: source})
//	answer, err := client.CreateBooking(ctx, &bookingsv1.CreateBookingRequest{…})
//
//	for event, err := range client.Feed(bookings.FeedOptions{Store: store}).Events(ctx) {
//		…
//	}
//
// A Client has all methods of BookingService and EventService, as the generated code has
// them; the comments of the proto are their manual. It speaks gRPC, over TLS or plain
// HTTP/2, which is the door that takes internal services everywhere.
//
// # Who calls
//
// People have a Token source, services an InternalToken. The source is asked at first,
// a minute before the token expires (where it says when), and once after the server has
// answered TOKEN_EXPIRED or TOKEN_INVALID, whereupon the call is made again. It is asked
// by one call at a time; the others wait for it, as long as their contexts let them.
// Where it fails while the last token is still good, that one is used.
//
// # Repeated calls
//
// A call is tried 4 times at most (Options.Tries), after random times whose bound
// doubles from 200 ms to 5 s, and never beyond its context. A method is repeated only
// where doing it twice is doing it once:
//
//   - GetBooking, ListBookings, ListBookingEvents, ListEvents: they read.
//   - CreateBooking: its idempotency key books once. Without one it gets one, in a header,
//     for all tries of this call. Give your own where you may call again yourself, after
//     a crash.
//   - CancelBooking, CompleteBooking, MarkBookingNoShow: nothing leads out of those
//     statuses, and what holds already is answered OK.
//   - CancelBookings: again, it cancels what is left. The outcomes are then those of the
//     last try alone.
//   - ConfirmBooking, RescheduleBooking, UpdateBooking: with an etag. Without one, a
//     second try could confirm a time that somebody has chosen since the first, or undo
//     what others did. RescheduleBooking also with validate_only.
//
// These are repeated after UNAVAILABLE (DATABASE_UNAVAILABLE, SHUTTING_DOWN),
// DEADLINE_EXCEEDED before the context's own deadline, and a line that was cut. All
// methods are repeated where nothing can have been done: nobody was reached, or the
// answer was RATE_LIMITED, after the time that it names, up to a minute.
//
// With an etag, ETAG_MISMATCH may follow on a lost answer: yours was done, and then
// somebody's.
//
// # Errors
//
// Decide by Reason, and show Violations at their fields. The code is connect.CodeOf's.
//
// # Feeds
//
// Events of a Feed come at least once, in order, and in one process none comes twice. A
// place, of number and id, moves on when the loop asks for the next event, and by
// checkpoints where others than the named types happen. A Store keeps it over restarts.
// Handle first; killed in between, you see that event again, with the same id.
//
// After a cut the feed comes back where it was, after a random time whose bound doubles
// from 1 s to 30 s, and at once where only its token has expired. A ResetError tells
// that the place is gone, pruned or of another history: list your bookings, and go on.
package bookings
