package app

import (
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

// Somebody holds the lock of one provider's feed. Who writes to that provider's
// bookings waits; nobody else does.
func TestOneProvidersLockStopsNobodyElse(t *testing.T) {
	t.Parallel()
	const creates = 40
	i := start(t)
	i.book("cara", 0)
	tx := lockFeeds(t, i)
	answers := make(chan string, creates)
	var answered atomic.Int32
	for n := range creates {
		c := trial(func(*bookingsv1.CreateBookingRequest) {})
		c.header = i.as(booking.RoleCustomer, fmt.Sprint("customer-", n))
		go func() {
			got := doors[0].call(i, c)
			answered.Add(1)
			answers <- got.verdict()
		}()
	}
	i.awaitf(func() bool { return waiting(t, i) >= 5 }, "creates that wait")
	for range 10 {
		response, body := i.exchange(i.get("/v1/bookings", i.as(booking.RoleCustomer, "a stranger")))
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s %s", response.Status, body)
		}
	}
	if n := answered.Load(); n != 0 {
		t.Errorf("%d of the creates had ended before the stranger's lists", n)
	}
	if n := waiting(t, i); n != 5 {
		t.Errorf("%d creates hold a connection", n)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Error(err)
	}
	for range creates {
		verdict := <-answers
		if !slices.Contains([]string{"OK", "ALREADY_EXISTS SLOT_TAKEN", databaseUnavailable}, verdict) {
			t.Error(verdict)
		}
	}
}
