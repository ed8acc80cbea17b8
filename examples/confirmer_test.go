package examples

import (
	"path/filepath"
	"testing"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/pgtest"
)

func TestTheConfirmerConfirmsForItsProvidersAndWhatItHasMissed(t *testing.T) {
	t.Parallel()
	const pending, confirmed = bookingsv1.BookingStatus_BOOKING_STATUS_PENDING, bookingsv1.BookingStatus_BOOKING_STATUS_CONFIRMED
	url, folder := serve(t), t.TempDir()
	program, environ := build(t, "./confirmer"), []string{"INTERNAL_TOKEN=" + testInternal}
	alice := newCustomer(t, url)
	isConfirmed := func(id string) {
		t.Helper()
		pgtest.Eventually(t, "a confirmation", func() bool { return alice.status(id) == confirmed })
	}
	running := launch(t, folder, environ, program, url, "bob", "bea")
	awaitPlace(t, filepath.Join(folder, "confirmer.place"))
	other := alice.book("ben", 60)
	isConfirmed(alice.book("bob", 60))
	isConfirmed(alice.book("bea", 60))

	running.Kill()
	missed, gone := alice.book("bob", 70), alice.book("bob", 80)
	if _, err := alice.CancelBooking(t.Context(), &bookingsv1.CancelBookingRequest{Id: gone}); err != nil {
		t.Fatal(err)
	}
	launch(t, folder, environ, program, url, "bob", "bea")
	isConfirmed(missed)
	isConfirmed(alice.book("bea", 90)) // after the one that is gone
	if got := alice.status(other); got != pending {
		t.Errorf("a booking of somebody else's is %v", got)
	}
}
