package rpcapi

import (
	"net/http"

	"google.golang.org/protobuf/proto"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

// mergeHeaders puts what a request says in headers into the message, through
// every door. It fails with VALIDATION_FAILED where the two contradict.
func mergeHeaders(header http.Header, message proto.Message) error {
	if create, ok := message.(*bookingsv1.CreateBookingRequest); ok {
		return mergeIdempotencyKey(header, create)
	}
	return nil
}

func mergeIdempotencyKey(header http.Header, create *bookingsv1.CreateBookingRequest) error {
	for _, key := range header.Values("Idempotency-Key") {
		switch {
		case key == "":
			return booking.Invalid("idempotency_key", "must not be an empty header")
		case create.GetIdempotencyKey() == "":
			create.IdempotencyKey = key
		case create.GetIdempotencyKey() != key:
			return booking.Invalid("idempotency_key", "differs between the header Idempotency-Key and the field")
		}
	}
	return nil
}
