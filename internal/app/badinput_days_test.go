package app

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

func TestWrongDaysAreNamed(t *testing.T) {
	t.Parallel()
	i := start(t)
	paul := i.as(booking.RoleProvider, "paul")
	from := soon(0)
	day := func(name, want string, change func(*bookingsv1.CancelBookingsRequest)) bad {
		request := &bookingsv1.CancelBookingsRequest{StartTimeFrom: stamp(from), StartTimeTo: stamp(from.Add(time.Hour))}
		change(request)
		return bad{name, call{method: "CancelBookings", request: request, header: paul}, want}
	}
	lasting := func(length time.Duration) func(*bookingsv1.CancelBookingsRequest) {
		return func(r *bookingsv1.CancelBookingsRequest) { r.StartTimeTo = stamp(from.Add(length)) }
	}
	i.check([]bad{
		day("good", fine, func(*bookingsv1.CancelBookingsRequest) {}),
		day("31 days", fine, lasting(31*24*time.Hour)),
		day("31 days and 1 µs", invalid+"start_time_to", lasting(31*24*time.Hour+time.Microsecond)),
		day("turned round", invalid+"start_time_to", lasting(-time.Hour)),
		day("empty", invalid+"start_time_to", lasting(0)),
		day("no times", invalid+"start_time_from,start_time_to", func(r *bookingsv1.CancelBookingsRequest) { r.StartTimeFrom, r.StartTimeTo = nil, nil }),
		day("all times", invalid+"start_time_to", func(r *bookingsv1.CancelBookingsRequest) {
			r.StartTimeFrom, r.StartTimeTo = stamp(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)), stamp(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))
		}),
		day("a reason of 1000 characters", fine, func(r *bookingsv1.CancelBookingsRequest) { r.Reason = strings.Repeat("𝄞", 1000) }),
		day("a reason of 1001 characters", invalid+"reason", func(r *bookingsv1.CancelBookingsRequest) { r.Reason = strings.Repeat("𝄞", 1001) }),
		day("a NUL in the reason", invalid+"reason", func(r *bookingsv1.CancelBookingsRequest) { r.Reason = "\x00" }),
		day("a long provider", invalid+"provider_id", func(r *bookingsv1.CancelBookingsRequest) { r.ProviderId = strings.Repeat("a", 129) }),
		day("another provider", notAllowed, func(r *bookingsv1.CancelBookingsRequest) { r.ProviderId = "eve" }),
	}, anyDoor)
	i.check([]bad{day("no time", invalid+"start_time_from", func(r *bookingsv1.CancelBookingsRequest) {
		r.StartTimeFrom = &timestamppb.Timestamp{Nanos: -1}
	})}, inForm(formProto))
}

// What one booking of many is refused for is told in the answer, as CancelBooking
// would tell it, and the others are called off.
func TestAnOutcomeTellsWhyItFailed(t *testing.T) {
	t.Parallel()
	i := start(t)
	first, second := i.book("cara", 0), i.book("eve", 1)
	tx, err := i.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }() // or the pool would wait for it
	if _, err := tx.Exec(t.Context(), "SELECT FROM bookings WHERE id = $1 FOR UPDATE", first); err != nil {
		t.Fatal(err)
	}
	got := rest(i, call{method: "CancelBookings", header: i.as(booking.RoleProvider, "paul"), request: &bookingsv1.CancelBookingsRequest{
		StartTimeFrom: stamp(soon(0)), StartTimeTo: stamp(soon(10)),
	}})
	checkVerdict(t, "a day", got, fine)
	called, ok := got.response.(*bookingsv1.CancelBookingsResponse)
	if !ok || len(called.GetOutcomes()) != 2 || called.GetMore() {
		t.Fatal(got)
	}
	failed, done := called.GetOutcomes()[0], called.GetOutcomes()[1]
	if failed.GetId() != first || failed.GetBooking() != nil ||
		failed.GetError().GetCode() != "UNAVAILABLE" || failed.GetError().GetReason() != "DATABASE_UNAVAILABLE" || failed.GetError().GetMessage() == "" {
		t.Errorf("the first: %v", failed)
	}
	if done.GetId() != second || done.GetError() != nil || done.GetBooking().GetStatus() != bookingsv1.BookingStatus_BOOKING_STATUS_CANCELLED {
		t.Errorf("the second: %v", done)
	}
}
