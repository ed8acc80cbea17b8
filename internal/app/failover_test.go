package app

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
	"bookings/internal/clock"
	"bookings/internal/pgpool"
	"bookings/internal/pgtest"
)

// Two hosts are in the URL. The one that takes writes stops to: it is made
// read-only and goes on answering, or goes away; and the other is promoted.
func TestTheNewPrimaryIsFoundAfterAFailover(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts two servers of PostgreSQL")
	}
	for name, fail := range map[string]func(*pgtest.Pair){
		"read-only": (*pgtest.Pair).Fence,
		"gone":      func(p *pgtest.Pair) { p.StopPrimary() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pair := pgtest.NewPair(t)
			i := start(t, func(s *Settings) { s.DatabaseURL = pair.URL() })
			// Nobody writes here: readiness alone must find the new primary, or a
			// load balancer would never let anybody in again.
			idle := start(t, func(s *Settings) { s.DatabaseURL, s.Worker = pair.URL(), false })
			i.book("cara", 0)
			ready := readiness{Status: "ok", Postgres: "ok", Redis: "disabled", Schema: "ok"}
			idle.checkReady(http.StatusOK, ready)
			pair.CatchUp()
			fail(pair)
			idle.awaitf(func() bool { status, _ := idle.readiness(); return status == http.StatusServiceUnavailable }, "readiness off")
			// Under load, as it is with real failovers.
			if got := i.tryBook("cara", 1); got != databaseUnavailable {
				t.Errorf("a create without a primary: %s", got)
			}
			pair.Promote()
			i.awaitf(func() bool {
				got := i.tryBook("cara", 2)
				if got != "OK" && got != databaseUnavailable && got != "ALREADY_EXISTS SLOT_TAKEN" {
					t.Error(got)
				}
				return got == "OK"
			}, "a create at the new primary")
			i.awaitf(func() bool { status, _ := i.readiness(); return status == http.StatusOK }, "readiness of who writes")
			idle.awaitf(func() bool { status, _ := idle.readiness(); return status == http.StatusOK }, "readiness of who does not")
		})
	}
}

// tryBook creates a booking in the n-th hour and returns the verdict.
func (i *instance) tryBook(customer string, hour int) string {
	i.t.Helper()
	c := call{method: "CreateBooking", header: i.as(booking.RoleCustomer, customer), request: &bookingsv1.CreateBookingRequest{
		ProviderId: "paul", StartTime: stamp(soon(hour)), EndTime: stamp(soon(hour + 1)),
	}}
	return doors[0].call(i, c).verdict()
}

// Whoever asks, and however often.
func TestPostgreSQLIsAskedForReadinessOnceASecond(t *testing.T) {
	t.Parallel()
	pool := pgpool.Of(pgtest.New(t))
	h := &health{pool: pool, clock: clock.New(pool.Pool, time.Now, slog.New(slog.DiscardHandler))}
	h.check(t.Context()) // looks at the schema, too
	before, began := h.pool.Stat().AcquireCount(), time.Now()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 1000 {
		if found := h.check(gone); found.Status != "ok" {
			t.Fatalf("who went away first: %+v", found)
		}
	}
	seconds := int64(time.Since(began)/probeInterval) + 1
	if asked := h.pool.Stat().AcquireCount() - before; asked > seconds {
		t.Errorf("asked %d times in %d s", asked, seconds)
	}
}
