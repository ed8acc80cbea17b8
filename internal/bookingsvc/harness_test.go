package bookingsvc_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
	"bookings/internal/feed"
	"bookings/internal/jobs"
	"bookings/internal/pgpool"
	"bookings/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const (
	lead       = 10 * time.Minute
	maxPending = 10
)

// noon is when these tests begin.
var noon = time.Date(2031, 3, 4, 12, 0, 0, 0, time.UTC)

var (
	anna = booking.Actor{Role: booking.RoleCustomer, ID: "anna"}
	carl = booking.Actor{Role: booking.RoleCustomer, ID: "carl"}
	ben  = booking.Actor{Role: booking.RoleProvider, ID: "ben"}
	dora = booking.Actor{Role: booking.RoleProvider, ID: "dora"}
)

// desk is the real service on a database of its own, with a clock that the test
// turns.
type desk struct {
	*bookingsvc.Service
	t     testing.TB
	pool  *pgxpool.Pool
	clock *clock
}

func open(t testing.TB) *desk {
	t.Helper()
	return openOn(t, pgtest.New(t))
}

func openOn(t testing.TB, pool *pgxpool.Pool) *desk {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	jobs, err := jobs.NewInserter(pgpool.Of(pool), log, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{}
	c.set(noon)
	return &desk{t: t, pool: pool, clock: c, Service: &bookingsvc.Service{
		Pool: pgpool.Of(pool), Jobs: jobs, Feeds: feed.NewHub(pool, nil, log), Log: log, Now: c.now, Terms: booking.Terms{Leads: booking.Leads{lead}}, MaxPending: maxPending,
	}}
}

// clock shows a time that nobody but the test moves, in nanoseconds.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.at.Load()) }
func (c *clock) set(to time.Time)        { c.at.Store(to.UnixNano()) }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

// at asks for an hour at ben's that begins so many hours after noon.
func at(hours int) booking.Request {
	start := noon.Add(time.Duration(hours) * time.Hour)
	return booking.Request{ProviderID: ben.ID, Slot: booking.Slot{Start: start, End: start.Add(time.Hour)}}
}

// forAnna is at, as others than anna ask it.
func forAnna(hours int) booking.Request {
	request := at(hours)
	request.CustomerID = anna.ID
	return request
}

// with is a request with a key.
func with(key string, request booking.Request) booking.Request {
	request.IdempotencyKey = key
	return request
}

// to moves to an hour that begins so many hours after noon.
func to(hours int) bookingsvc.Move {
	request := at(hours)
	return bookingsvc.Move{Slot: booking.Slot{Start: request.Slot.Start, End: request.Slot.End}}
}

// only is a trial of a move.
func only(move bookingsvc.Move) bookingsvc.Move {
	move.ValidateOnly = true
	return move
}

// tried is a trial of a create.
func tried(request booking.Request) booking.Request {
	request.ValidateOnly = true
	return request
}

// book makes a booking that nothing forbids.
func (d *desk) book(by booking.Actor, request booking.Request) booking.Booking {
	d.t.Helper()
	created, err := d.Create(d.t.Context(), by, request)
	if err != nil {
		d.t.Fatal(err)
	}
	if created.Replayed {
		d.t.Fatal("replayed, not booked")
	}
	return created.Booking
}

// do makes a change that nothing forbids.
func (d *desk) do(by booking.Actor, b booking.Booking, change booking.Change) booking.Booking {
	d.t.Helper()
	after, err := d.Change(d.t.Context(), by, target(b), change)
	if err != nil {
		d.t.Fatal(err)
	}
	return after
}

// move makes a move that nothing forbids.
func (d *desk) move(by booking.Actor, b booking.Booking, move bookingsvc.Move) booking.Booking {
	d.t.Helper()
	after, err := d.Reschedule(d.t.Context(), by, target(b), move)
	if err != nil {
		d.t.Fatal(err)
	}
	return after
}

func target(b booking.Booking) bookingsvc.Target { return bookingsvc.Target{ID: b.ID} }

// stored is a booking as it is now.
func (d *desk) stored(b booking.Booking) booking.Booking {
	d.t.Helper()
	got, err := d.Get(d.t.Context(), booking.Internal, b.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	return got
}

// refused checks why a call failed.
func refused(t testing.TB, err error, want booking.Reason) {
	t.Helper()
	if !booking.IsReason(err, want) {
		t.Errorf("error = %v, not %s", err, want)
	}
}

// reasonOf is why a call failed, empty where it did not. What is not for
// callers, a deadlock for one, fails the test.
func reasonOf(t testing.TB, err error) booking.Reason {
	t.Helper()
	if err == nil {
		return ""
	}
	known, ok := errors.AsType[*booking.Error](err)
	if !ok {
		t.Errorf("not for callers: %v", err)
		return "INTERNAL"
	}
	return known.Reason
}

// value reads one value from the database.
func value[T any](d *desk, sql string, args ...any) (value T) {
	d.t.Helper()
	if err := d.pool.QueryRow(context.WithoutCancel(d.t.Context()), sql, args...).Scan(&value); err != nil {
		d.t.Fatal(err)
	}
	return value
}

// rows counts everything that there is.
func (d *desk) rows() map[string]int {
	d.t.Helper()
	counts := map[string]int{}
	for _, table := range []string{"bookings", "booking_events", "feeds WHERE role <> 'all'", "feed_entries", "event_outbox", "river_job"} {
		counts[table] = value[int](d, "SELECT count(*) FROM "+table)
	}
	return counts
}

// race calls f so many times, all beginning at one moment.
func race[T any](n int, f func(i int) T) []T {
	results := make([]T, n)
	begin := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-begin
			results[i] = f(i)
		})
	}
	close(begin)
	all.Wait()
	return results
}
