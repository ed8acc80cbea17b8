package app

import (
	"strings"
	"testing"
	"time"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

// The limit of 64 KiB is on what callers send.
func TestAFullPageIsAnsweredThroughEveryDoor(t *testing.T) {
	t.Parallel()
	i := start(t)
	paul := i.as(booking.RoleProvider, "paul")
	for n := range 200 {
		begins := soon(0).Add(time.Duration(n) * time.Hour)
		curl(i, call{method: "CreateBooking", header: paul, request: &bookingsv1.CreateBookingRequest{
			CustomerId: "cara", StartTime: stamp(begins), EndTime: stamp(begins.Add(time.Hour)), Note: strings.Repeat("ж", 1000),
		}})
	}
	for _, door := range doors {
		got := door.call(i, call{method: "ListBookings", header: paul, request: &bookingsv1.ListBookingsRequest{PageSize: 200}})
		page, _ := got.response.(*bookingsv1.ListBookingsResponse)
		if len(page.GetBookings()) != 200 {
			t.Errorf("%s: %v with %d bookings", door.name, got, len(page.GetBookings()))
		}
	}
}
