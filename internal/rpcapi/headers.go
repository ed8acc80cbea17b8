package rpcapi

import (
	"net/http"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

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
	return mergeHeader(header, "Idempotency-Key", create, "idempotency_key")
}

// mergeIfMatch takes If-Match for the etag of a message that has one. It is
// REST's alone: there it is how HTTP says what etag says. "*" asks for nothing,
// as nobody changes what does not exist.
func mergeIfMatch(header http.Header, message proto.Message) error {
	if header.Get("If-Match") == "*" || message.ProtoReflect().Descriptor().Fields().ByName("etag") == nil {
		return nil
	}
	return mergeHeader(header, "If-Match", message, "etag")
}

// mergeHeader puts the values of a header, which must all be the same, into a
// field of text.
func mergeHeader(header http.Header, name string, message proto.Message, into protoreflect.Name) error {
	m := message.ProtoReflect()
	field := m.Descriptor().Fields().ByName(into)
	for _, value := range header.Values(name) {
		switch said := m.Get(field).String(); {
		case value == "":
			return booking.Invalid(string(into), "must not be an empty header")
		case said == "":
			m.Set(field, protoreflect.ValueOfString(value))
		case said != value:
			return booking.Invalid(string(into), "differs between the header %s and the field", name)
		}
	}
	return nil
}
