package app

import (
	"strings"
	"testing"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

func TestTheKeyComesByHeaderOrField(t *testing.T) {
	t.Parallel()
	i := start(t)
	for _, door := range doors {
		for _, bad := range []struct {
			name, field string
			header      []string
			want        string
		}{
			{"field", "k", nil, fine},
			{"header", "", []string{"k"}, fine},
			{"both", "k", []string{"k"}, fine},
			{"both, and another", "k", []string{"l"}, invalid + "idempotency_key"},
			{"two headers", "", []string{"k", "l"}, invalid + "idempotency_key"},
			{"one header twice", "", []string{"k", "k"}, fine},
			{"empty header", "", []string{""}, invalid + "idempotency_key"},
			{"empty header beside a field", "k", []string{""}, invalid + "idempotency_key"},
			{"255 characters in the header", "", []string{strings.Repeat("~", 255)}, fine},
			{"256 characters in the header", "", []string{strings.Repeat("~", 256)}, invalid + "idempotency_key"},
			{"a space in the header", "", []string{"a b"}, invalid + "idempotency_key"},
		} {
			c := trial(func(r *bookingsv1.CreateBookingRequest) { r.IdempotencyKey = bad.field })
			c.header = i.as(booking.RoleCustomer, "cara")
			if bad.header != nil {
				c.header["Idempotency-Key"] = bad.header
			}
			checkVerdict(t, door.name+": "+bad.name, door.call(i, c), bad.want)
		}
	}
}

// The two ways to give a key are one, through any door.
func TestAKeyOfOneDoorIsReplayedThroughAnother(t *testing.T) {
	t.Parallel()
	i := start(t)
	request := &bookingsv1.CreateBookingRequest{ProviderId: "paul", StartTime: stamp(soon(0)), EndTime: stamp(soon(1)), IdempotencyKey: "k"}
	cara := i.as(booking.RoleCustomer, "cara")
	id := idOf(t, curl(i, call{method: "CreateBooking", request: request, header: cara}))
	request.IdempotencyKey = ""
	for _, door := range doors {
		header := cara.Clone()
		header.Set("Idempotency-Key", "k")
		again := door.call(i, call{method: "CreateBooking", request: request, header: header})
		if again.response == nil || idOf(t, again) != id || again.header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("%s: %v, replayed %q", door.name, again, again.header.Get("Idempotent-Replayed"))
		}
	}
}
