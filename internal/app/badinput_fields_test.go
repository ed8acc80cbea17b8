package app

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

// trial is a request that passes and books nothing, but for what change makes
// of it.
func trial(change func(*bookingsv1.CreateBookingRequest)) call {
	request := &bookingsv1.CreateBookingRequest{
		ProviderId: "paul", StartTime: stamp(soon(0)), EndTime: stamp(soon(1)), ValidateOnly: true,
	}
	change(request)
	return call{method: "CreateBooking", request: request}
}

func TestRequestsThatBreakARuleNameTheField(t *testing.T) {
	t.Parallel()
	type create = bookingsv1.CreateBookingRequest
	start(t).check([]bad{
		{"good", trial(func(*create) {}), fine},
		{"no times", trial(func(r *create) { r.StartTime, r.EndTime = nil, nil }), invalid + "end_time,start_time"},
		{"no provider", trial(func(r *create) { r.ProviderId = "" }), invalid + "provider_id"},
		{"both the same", trial(func(r *create) { r.ProviderId = "cara" }), invalid + "customer_id"},
		{"provider of 128 characters", trial(func(r *create) { r.ProviderId = strings.Repeat("ж", 128) }), fine},
		{"provider of 129 characters", trial(func(r *create) { r.ProviderId = strings.Repeat("ж", 129) }), invalid + "provider_id"},
		{"NUL in provider", trial(func(r *create) { r.ProviderId = "pa\x00ul" }), invalid + "provider_id"},
		{"control character in provider", trial(func(r *create) { r.ProviderId = "pa\u0085ul" }), invalid + "provider_id"},
		{"line break in customer", trial(func(r *create) { r.CustomerId = "cara\n" }), invalid + "customer_id"},
		{"note of 1000 characters", trial(func(r *create) { r.Note = strings.Repeat("𝄞", 1000) }), fine},
		{"note of 1001 characters", trial(func(r *create) { r.Note = strings.Repeat("a", 1001) }), invalid + "note"},
		{"NUL in note", trial(func(r *create) { r.Note = "a\x00b" }), invalid + "note"},
		{"key of 255 characters", trial(func(r *create) { r.IdempotencyKey = strings.Repeat("~", 255) }), fine},
		{"key of 256 characters", trial(func(r *create) { r.IdempotencyKey = strings.Repeat("~", 256) }), invalid + "idempotency_key"},
		{"space in key", trial(func(r *create) { r.IdempotencyKey = "a b" }), invalid + "idempotency_key"},
		{"key beyond ASCII", trial(func(r *create) { r.IdempotencyKey = "ключ" }), invalid + "idempotency_key"},
		{"five leads", trial(leads(0, 1, 3600, 86_400, 2_592_000)), fine},
		{"six leads", trial(leads(6, 5, 4, 3, 2, 1)), invalid + "reminder_lead_seconds"},
		{"a negative lead", trial(leads(3600, -1)), invalid + "reminder_lead_seconds[1]"},
		{"a lead of 31 days", trial(leads(31 * 86_400)), invalid + "reminder_lead_seconds[0]"},
		{"the same lead twice", trial(leads(60, 3600, 60)), invalid + "reminder_lead_seconds"},
		{"end before start", trial(func(r *create) { r.EndTime = stamp(soon(-1)) }), invalid + "end_time"},
		{"end at start", trial(func(r *create) { r.EndTime = r.GetStartTime() }), invalid + "end_time"},
		{"999 ns long", trial(func(r *create) { r.EndTime = stamp(soon(0).Add(999)) }), invalid + "end_time"},
		{"1 µs long", trial(func(r *create) { r.EndTime = stamp(soon(0).Add(time.Microsecond)) }), fine},
		{"25 h long", trial(func(r *create) { r.EndTime = stamp(soon(25)) }), fine},
		{"25 h and 1 µs long", trial(func(r *create) { r.EndTime = stamp(soon(25).Add(time.Microsecond)) }), invalid + "end_time"},
		{"nearly 2 years ahead", trial(at(time.Now().AddDate(2, 0, -1))), fine},
		{"more than 2 years ahead", trial(at(time.Now().AddDate(2, 0, 1))), invalid + "start_time"},
		{"in the year 9999", trial(at(time.Date(9999, 12, 30, 0, 0, 0, 0, time.UTC))), invalid + "start_time"},
		{"in the year 1", trial(at(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC))), "INVALID_ARGUMENT START_IN_PAST start_time"},
		{"an hour ago", trial(at(time.Now().Add(-time.Hour))), "INVALID_ARGUMENT START_IN_PAST start_time"},
		{"in somebody else's name", trial(func(r *create) { r.CustomerId = "eve" }), "PERMISSION_DENIED NOT_ALLOWED"},
	}, anyDoor)
}

func leads(seconds ...int32) func(*bookingsv1.CreateBookingRequest) {
	return func(r *bookingsv1.CreateBookingRequest) { r.ReminderLeadSeconds = seconds }
}

func at(start time.Time) func(*bookingsv1.CreateBookingRequest) {
	return func(r *bookingsv1.CreateBookingRequest) {
		r.StartTime, r.EndTime = stamp(start), stamp(start.Add(time.Hour))
	}
}

func TestBadIDsAndEtagsAreNamed(t *testing.T) {
	t.Parallel()
	i := start(t)
	const id = nobodys
	notFound := "NOT_FOUND BOOKING_NOT_FOUND"
	var calls []bad
	for _, wrong := range []string{"7", "not-a-uuid", "урн", id + "0", "{" + id + "}", "..", "%00", " "} {
		calls = append(calls, aim(i, wrong, "", invalid+"id")...)
	}
	for _, wrong := range []string{"1", `"1"`, `W/"0"`, `W/"01"`, `W/"-1"`, `W/"1234567890123456789"`, `W/"1" `, "\x00", "*"} {
		calls = append(calls, aim(i, id, wrong, invalid+"etag")...)
	}
	calls = append(calls, aim(i, id, `W/"1"`, notFound)...)
	calls = append(calls, aim(i, "7", "1", invalid+"etag,id")...)
	i.check(calls, anyDoor)
	// On REST these are other paths.
	i.check(slices.Concat(aim(i, "urn:uuid:"+id, "", invalid+"id"), aim(i, "a/b", "", invalid+"id")), func(d door) bool { return d.name != "REST" })
	i.check([]bad{
		{"get", call{method: "GetBooking", request: &bookingsv1.GetBookingRequest{Id: "7"}}, invalid + "id"},
		{"get none", call{method: "GetBooking", request: &bookingsv1.GetBookingRequest{Id: id}}, notFound},
		{"history", call{method: "ListBookingEvents", request: &bookingsv1.ListBookingEventsRequest{Id: "7"}}, invalid + "id"},
		{"history of none", call{method: "ListBookingEvents", request: &bookingsv1.ListBookingEventsRequest{Id: id}}, notFound},
		{"long reason", cancel(id, strings.Repeat("a", 1001)), invalid + "reason"},
		{"NUL in reason", cancel(id, "\x00"), invalid + "reason"},
	}, anyDoor)
}

func cancel(id, reason string) call {
	return call{method: "CancelBooking", request: &bookingsv1.CancelBookingRequest{Id: id, Reason: reason}}
}

// aim makes every change of a booking, as its provider.
func aim(i *instance, id, etag, want string) []bad {
	requests := map[string]proto.Message{
		"ConfirmBooking":    &bookingsv1.ConfirmBookingRequest{Id: id, Etag: etag},
		"UpdateBooking":     &bookingsv1.UpdateBookingRequest{Id: id, Etag: etag},
		"CancelBooking":     &bookingsv1.CancelBookingRequest{Id: id, Etag: etag},
		"CompleteBooking":   &bookingsv1.CompleteBookingRequest{Id: id, Etag: etag},
		"MarkBookingNoShow": &bookingsv1.MarkBookingNoShowRequest{Id: id, Etag: etag},
		"RescheduleBooking": &bookingsv1.RescheduleBookingRequest{Id: id, Etag: etag, StartTime: stamp(soon(0)), EndTime: stamp(soon(1))},
	}
	var calls []bad
	for method, request := range requests {
		calls = append(calls, bad{method + " " + id + " " + etag, call{method: method, request: request, header: i.as(booking.RoleProvider, "paul")}, want})
	}
	return calls
}

func TestBadListsAreNamed(t *testing.T) {
	t.Parallel()
	i := start(t)
	type list = bookingsv1.ListBookingsRequest
	type events = bookingsv1.ListEventsRequest
	in := func(request proto.Message, want string) bad {
		return bad{request.(interface{ String() string }).String(), call{method: "ListBookings", request: request}, want}
	}
	feed := func(request *events, want string) bad {
		return bad{request.String(), call{method: "ListEvents", request: request}, want}
	}
	i.check([]bad{
		in(&list{}, fine),
		in(&list{PageSize: 100000}, fine),
		in(&list{PageSize: -1}, invalid+"page_size"),
		in(&list{OrderBy: "end_time"}, invalid+"order_by"),
		in(&list{OrderBy: "start_time asc; --"}, invalid+"order_by"),
		in(&list{Statuses: []bookingsv1.BookingStatus{1, 0}}, invalid+"statuses[1]"),
		in(&list{Statuses: []bookingsv1.BookingStatus{99}}, invalid+"statuses[0]"),
		in(&list{Statuses: make([]bookingsv1.BookingStatus, 11)}, invalid+"*"),
		in(&list{ProviderId: "\x00"}, invalid+"provider_id"),
		in(&list{CustomerId: "eve"}, "PERMISSION_DENIED NOT_ALLOWED"),
		in(&list{StartTimeFrom: stamp(soon(1)), StartTimeTo: stamp(soon(0))}, fine),
		in(&list{PageToken: "no token"}, "INVALID_ARGUMENT PAGE_TOKEN_INVALID page_token"),
		in(&list{PageToken: "e30"}, "INVALID_ARGUMENT PAGE_TOKEN_INVALID page_token"),
		in(&list{PageToken: strings.Repeat("a", 1025)}, invalid+"page_token"),
		feed(&events{}, fine),
		feed(&events{PageSize: -1}, invalid+"page_size"),
		feed(&events{AfterSequence: proto.Int64(-1)}, invalid+"after_sequence"),
		feed(&events{AfterSequence: proto.Int64(1 << 62)}, "OUT_OF_RANGE SEQUENCE_OUT_OF_RANGE"),
		feed(&events{AfterSequence: new(int64), AfterId: "x"}, invalid+"after_id"),
		feed(&events{AfterSequence: new(int64), AfterId: uuid.NewString()}, "OUT_OF_RANGE SEQUENCE_OUT_OF_RANGE"),
		feed(&events{AfterId: uuid.NewString()}, invalid+"after_id"),
		feed(&events{Types: []string{"booking.no_show", "booking.no_show"}}, fine),
		feed(&events{Types: []string{"booking.created", "booking.eaten"}}, invalid+"types[1]"),
		feed(&events{Types: slices.Repeat([]string{"booking.created"}, 100)}, invalid+"types"),
		feed(&events{Role: bookingsv1.Role_ROLE_INTERNAL}, invalid+"role"),
		feed(&events{Role: 77}, invalid+"role"),
		feed(&events{Role: bookingsv1.Role_ROLE_PROVIDER}, "PERMISSION_DENIED NOT_ALLOWED"),
		feed(&events{UserId: "\x00"}, invalid+"user_id"),
	}, anyDoor)
	i.check([]bad{
		{"all events", call{method: "ListEvents", request: &events{}, header: asInternal()}, fine},
		{"no role", call{method: "ListEvents", request: &events{UserId: "anna"}, header: asInternal()}, invalid + "role"},
		{"no user", call{method: "ListEvents", request: &events{Role: 1}, header: asInternal()}, invalid + "user_id"},
	}, func(d door) bool { return d.grpc })
}
