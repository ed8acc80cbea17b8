package bookings

import (
	"connectrpc.com/connect"

	"bookings/gen/bookings/v1/bookingsv1connect"
)

// repeatable has, for each method, whether a call whose answer was lost may be made
// again: only where doing it twice is doing it once, whatever others do in between. A
// method that is not here is never repeated.
var repeatable = map[string]func(request connect.AnyRequest) bool{
	// Reads.
	bookingsv1connect.BookingServiceGetBookingProcedure:        always,
	bookingsv1connect.BookingServiceListBookingsProcedure:      always,
	bookingsv1connect.BookingServiceListBookingEventsProcedure: always,
	bookingsv1connect.EventServiceListEventsProcedure:          always,

	// Its idempotency key books once; see withKey.
	bookingsv1connect.BookingServiceCreateBookingProcedure: always,

	// Nothing leads out of CANCELLED, COMPLETED and NO_SHOW: what holds is answered OK.
	bookingsv1connect.BookingServiceCancelBookingProcedure:     always,
	bookingsv1connect.BookingServiceCompleteBookingProcedure:   always,
	bookingsv1connect.BookingServiceMarkBookingNoShowProcedure: always,
	// Made again, it cancels only what is left.
	bookingsv1connect.BookingServiceCancelBookingsProcedure: always,

	// Somebody may have moved or changed the booking since the first try was done: a
	// second would confirm a time that nobody has seen, or undo what others did. The
	// etag prevents it.
	bookingsv1connect.BookingServiceConfirmBookingProcedure:    hasEtag,
	bookingsv1connect.BookingServiceUpdateBookingProcedure:     hasEtag,
	bookingsv1connect.BookingServiceRescheduleBookingProcedure: func(r connect.AnyRequest) bool { return hasEtag(r) || isTrial(r) },
}

func always(connect.AnyRequest) bool { return true }

func hasEtag(request connect.AnyRequest) bool {
	message, ok := request.Any().(interface{ GetEtag() string })
	return ok && message.GetEtag() != ""
}

func isTrial(request connect.AnyRequest) bool {
	message, ok := request.Any().(interface{ GetValidateOnly() bool })
	return ok && message.GetValidateOnly()
}

// mayRepeat tells whether a call may be made again after its answer was lost.
func mayRepeat(request connect.AnyRequest) bool {
	rule := repeatable[request.Spec().Procedure]
	return rule != nil && rule(request)
}
