package app

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
	"bookings/internal/migrate"
	"bookings/internal/pgtest"
)

// All that a server does goes through PgBouncer in transaction mode, where each
// transaction may be in another session of PostgreSQL's.
func TestNothingFailsBehindAPooler(t *testing.T) {
	t.Parallel()
	const calls, callers = 200, 40
	direct := pgtest.Empty(t)
	pooled := pgtest.Pooled(t, direct)
	if err := migrate.Up(t.Context(), pooled); err != nil {
		t.Fatal(err)
	}
	i := start(t, func(s *Settings) {
		s.DatabaseURL, s.DatabasePooler = pooled, true
		s.ReminderLeads = []time.Duration{30 * 24 * time.Hour} // due at once
	})
	defer i.checkUntroubled() // also where reminders do not come: it says why
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for n := caller; n < calls; n += callers {
				i.liveThrough(n)
			}
		})
	}
	all.Wait()
	// Asked past the pooler: a pool of a test names its statements, which are then
	// in some other session.
	asking, err := pgxpool.New(t.Context(), direct)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(asking.Close)
	i.awaitf(func() bool {
		var sent int
		const query = "SELECT count(*) FROM booking_events WHERE type = 'booking.reminder.due'"
		return asking.QueryRow(t.Context(), query).Scan(&sent) == nil && sent == calls
	}, "reminders")
}

// checkUntroubled looks for warnings in the log.
func (i *instance) checkUntroubled() {
	i.t.Helper()
	for _, level := range []string{`"level":"ERROR"`, `"level":"WARN"`} {
		for line := range strings.Lines(i.log.String()) {
			if strings.Contains(line, level) && !strings.Contains(line, "x-internal-token") {
				i.t.Error(line)
			}
		}
	}
}

// liveThrough creates a booking, changes, lists and reads it.
func (i *instance) liveThrough(n int) {
	provider, customer := fmt.Sprint("provider-", n%20), fmt.Sprint("customer-", n)
	ask := func(method string, role booking.Role, user string, c call) answer {
		c.method, c.header = method, i.as(role, user)
		got := doors[0].call(i, c)
		if got.verdict() != "OK" {
			i.t.Errorf("%s: %s", method, got)
		}
		return got
	}
	made := ask("CreateBooking", booking.RoleCustomer, customer, call{request: &bookingsv1.CreateBookingRequest{
		ProviderId: provider, StartTime: stamp(soon(n)), EndTime: stamp(soon(n + 1)),
	}})
	if made.verdict() != "OK" {
		return
	}
	id := idOf(i.t, made)
	ask("ConfirmBooking", booking.RoleProvider, provider, call{request: &bookingsv1.ConfirmBookingRequest{Id: id}})
	ask("ListBookings", booking.RoleCustomer, customer, call{request: &bookingsv1.ListBookingsRequest{}})
	ask("GetBooking", booking.RoleCustomer, customer, call{request: &bookingsv1.GetBookingRequest{Id: id}})
}

// The bounds of a call's waiting hold there too, and end with its transaction.
func TestALockIsNotWaitedForForEverBehindAPooler(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for a time-out")
	}
	direct := pgtest.URL(t)
	i := start(t, func(s *Settings) { s.DatabaseURL, s.DatabasePooler = pgtest.Pooled(t, direct), true })
	i.book("cara", 0)
	tx := lockFeeds(t, i)
	began := time.Now()
	if got := i.tryBook("cara", 1); got != databaseUnavailable {
		t.Error(got)
	}
	// It would have waited until the lock is given back; the machine may be busy.
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Error(err)
	}
}
