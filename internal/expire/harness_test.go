package expire_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
	"bookings/internal/expire"
	"bookings/internal/feed"
	"bookings/internal/jobs"
	"bookings/internal/pgpool"
	"bookings/internal/pgtest"
	"bookings/internal/remind"
	"bookings/internal/requestid"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const ttl = 6 * time.Hour

var (
	anna = booking.Actor{Role: booking.RoleCustomer, ID: "anna"}
	ben  = booking.Actor{Role: booking.RoleProvider, ID: "ben"}
)

// desk books on a database of its own, by the real service and the real clock.
type desk struct {
	*bookingsvc.Service
	t      testing.TB
	worker *expire.Worker
	log    *slog.Logger
}

func open(t testing.TB, ttl time.Duration) *desk {
	t.Helper()
	pool := pgtest.New(t)
	log := slog.New(slog.DiscardHandler)
	feeds := feed.NewHub(pool, nil, log)
	d := &desk{
		t: t, log: log,
		Service: &bookingsvc.Service{
			Pool: pgpool.Of(pool), Feeds: feeds, Log: log, Now: time.Now, MaxPending: 1000,
			Terms: booking.Terms{Leads: booking.Leads{10 * time.Minute}, PendingTTL: ttl},
		},
		worker: &expire.Worker{Pool: pgpool.Of(pool), Feeds: feeds, Log: log},
	}
	var err error
	if d.Jobs, err = jobs.NewInserter(pgpool.Of(pool), log, time.Now); err != nil {
		t.Fatal(err)
	}
	return d
}

// work starts the workers for the rest of the test.
func (d *desk) work() {
	d.t.Helper()
	reminders := &remind.Worker{Pool: d.Pool, Feeds: d.Feeds, Log: d.log}
	client, err := jobs.NewWorker(d.Pool, d.log, d.Now, reminders, d.worker, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	d.start(client)
}

func (d *desk) start(client *river.Client[pgx.Tx]) {
	d.t.Helper()
	if err := client.Start(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { <-client.Stopped() })
}

// book asks for a minute with ben.
func (d *desk) book(by booking.Actor, startsIn time.Duration) booking.Booking {
	d.t.Helper()
	start := d.Now().Add(startsIn)
	request := booking.Request{ProviderID: ben.ID, CustomerID: anna.ID, Slot: booking.Slot{Start: start, End: start.Add(time.Minute)}}
	created, err := d.Create(requestid.NewContext(d.t.Context(), "the-request"), by, request)
	if err != nil {
		d.t.Fatal(err)
	}
	return created.Booking
}

func (d *desk) move(by booking.Actor, b booking.Booking, shift time.Duration) booking.Booking {
	d.t.Helper()
	slot := booking.Slot{Start: b.Slot.Start.Add(shift), End: b.Slot.End.Add(shift)}
	moved, err := d.Reschedule(requestid.NewContext(d.t.Context(), "the-move"), by, bookingsvc.Target{ID: b.ID}, bookingsvc.Move{Slot: slot})
	if err != nil {
		d.t.Fatal(err)
	}
	return moved
}

func (d *desk) change(by booking.Actor, b booking.Booking, change booking.Change) booking.Booking {
	d.t.Helper()
	after, err := d.Change(d.t.Context(), by, bookingsvc.Target{ID: b.ID}, change)
	if err != nil {
		d.t.Fatal(err)
	}
	return after
}

func (d *desk) stored(b booking.Booking) booking.Booking {
	d.t.Helper()
	got, err := d.Get(d.t.Context(), booking.Internal, b.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	return got
}

// jobStates are those of expiries, oldest first.
func (d *desk) jobStates() []string {
	d.t.Helper()
	return value[[]string](d, "SELECT coalesce(array_agg(state::text ORDER BY id), '{}') FROM river_job WHERE kind = 'expiry'")
}

// runNow lets the newest expiry run, as it would had it been fetched before
// whatever took it back.
func (d *desk) runNow() {
	d.t.Helper()
	exec(d.t, d.Pool.Pool, `UPDATE river_job SET state = 'available', scheduled_at = clock_timestamp(), finalized_at = NULL
		WHERE id = (SELECT min(id) FROM river_job WHERE kind = 'expiry')`)
	d.work()
	d.rested()
}

// rested waits until no expiry is to run now.
func (d *desk) rested() {
	d.t.Helper()
	pgtest.Eventually(d.t, "jobs that have run", func() bool {
		return value[int](d, "SELECT count(*) FROM river_job WHERE state NOT IN ('completed', 'cancelled', 'scheduled')") == 0
	})
	d.none("jobs that failed on their way", "SELECT count(*) FROM river_job WHERE state = 'completed' AND errors IS NOT NULL")
}

func (d *desk) none(what, query string) {
	d.t.Helper()
	if n := value[int](d, query); n != 0 {
		d.t.Errorf("there are %d %s", n, what)
	}
}

// value reads one value from the database.
func value[T any](d *desk, sql string, args ...any) (value T) {
	d.t.Helper()
	if err := d.Pool.QueryRow(context.WithoutCancel(d.t.Context()), sql, args...).Scan(&value); err != nil {
		d.t.Fatal(err)
	}
	return value
}

func exec(t testing.TB, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}
