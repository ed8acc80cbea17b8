package remind_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
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

// always is a lead that makes the reminder due at once of what starts within 30 days.
const always = booking.MaxLead

var (
	anna = booking.Actor{Role: booking.RoleCustomer, ID: "anna"}
	ben  = booking.Actor{Role: booking.RoleProvider, ID: "ben"}
)

// desk books on a database of its own, by the real service and the real clock,
// which is River's too.
type desk struct {
	*bookingsvc.Service
	t      testing.TB
	worker *remind.Worker
	log    *logs
}

func open(t testing.TB, leads ...time.Duration) *desk {
	t.Helper()
	pool := pgtest.New(t)
	written := &logs{}
	log := slog.New(slog.NewJSONHandler(written, nil))
	feeds := feed.NewHub(pool, nil, log)
	d := &desk{
		t: t, log: written,
		Service: &bookingsvc.Service{Pool: pgpool.Of(pool), Feeds: feeds, Log: log, Now: time.Now, Terms: booking.Terms{Leads: leads}, MaxPending: 1000},
		worker:  &remind.Worker{Pool: pgpool.Of(pool), Feeds: feeds, Log: log},
	}
	var err error
	if d.Jobs, err = jobs.NewInserter(pgpool.Of(pool), log, func() time.Time { return d.Now() }); err != nil {
		t.Fatal(err)
	}
	return d
}

// work starts the worker for the rest of the test.
func (d *desk) work() {
	d.t.Helper()
	client, err := jobs.NewWorker(d.Pool, d.worker.Log, d.Now, d.worker, &expire.Worker{}, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	d.start(client)
}

// start starts a client, which stops at the end of the test's context, before
// the pool is closed.
func (d *desk) start(client *river.Client[pgx.Tx]) {
	d.t.Helper()
	if err := client.Start(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { <-client.Stopped() })
}

// book makes a confirmed booking of anna's that starts after the given time.
func (d *desk) book(startsIn time.Duration) booking.Booking {
	d.t.Helper()
	start := d.Now().Add(startsIn)
	request := booking.Request{CustomerID: anna.ID, Slot: booking.Slot{Start: start, End: start.Add(time.Minute)}, Details: booking.Details{Note: "a secret note", Metadata: booking.Metadata{"service": "cut"}}}
	created, err := d.Create(requestid.NewContext(d.t.Context(), "the-request"), ben, request)
	if err != nil {
		d.t.Fatal(err)
	}
	return created.Booking
}

// move moves a booking by so much from where it was when it was read.
func (d *desk) move(b booking.Booking, by time.Duration) booking.Booking {
	d.t.Helper()
	moved, err := d.Reschedule(requestid.NewContext(d.t.Context(), "the-move"), providerOf(b), bookingsvc.Target{ID: b.ID},
		bookingsvc.Move{Slot: booking.Slot{Start: b.Slot.Start.Add(by), End: b.Slot.End.Add(by)}})
	if err != nil {
		d.t.Fatal(err)
	}
	return moved
}

func providerOf(b booking.Booking) booking.Actor {
	return booking.Actor{Role: booking.RoleProvider, ID: b.ProviderID}
}

func (d *desk) change(b booking.Booking, change booking.Change) booking.Booking {
	d.t.Helper()
	after, err := d.Change(d.t.Context(), providerOf(b), bookingsvc.Target{ID: b.ID}, change)
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

// hurry lets what is scheduled run at once, as if its time had come.
func (d *desk) hurry() {
	d.t.Helper()
	exec(d.t, d.Pool.Pool, "UPDATE river_job SET state = 'available', scheduled_at = clock_timestamp() WHERE state = 'scheduled'")
}

// hurryOne is hurry for one booking, from several goroutines.
func (d *desk) hurryOne(b booking.Booking) {
	const sql = "UPDATE river_job SET state = 'available', scheduled_at = clock_timestamp() WHERE id = $1 AND state = 'scheduled'"
	if _, err := d.Pool.Exec(d.t.Context(), sql, *b.Reminder.JobID); err != nil {
		d.t.Error(err)
	}
}

// drained waits until every job is done or cancelled.
func (d *desk) drained() {
	d.t.Helper()
	d.waitForJobs(true)
}

// rested waits until every job is done or cancelled, or is due later.
func (d *desk) rested() {
	d.t.Helper()
	d.waitForJobs(false)
}

func (d *desk) waitForJobs(alsoLater bool) {
	d.t.Helper()
	pgtest.Eventually(d.t, "an empty queue", func() bool {
		const left = "SELECT count(*) FROM river_job WHERE state NOT IN ('completed', 'cancelled') AND (state <> 'scheduled' OR $1)"
		return value[int](d, left, alsoLater) == 0
	})
	const failed = `SELECT coalesce(string_agg(errors::text, E'\n'), '') FROM river_job WHERE state = 'completed' AND errors IS NOT NULL`
	if said := value[string](d, failed); said != "" {
		d.t.Errorf("jobs failed on their way: %s", said)
	}
}

// checkReminder looks at what became of a booking's reminder, and how many went
// out for it, whatever its start was.
func (d *desk) checkReminder(b booking.Booking, state booking.ReminderState, sent int) {
	d.t.Helper()
	if got := d.stored(b).Reminder.State; got != state {
		d.t.Errorf("the reminder is %s, not %s", got, state)
	}
	const count = "SELECT count(*) FROM booking_events WHERE booking_id = $1 AND type = 'booking.reminder.due'"
	if got := value[int](d, count, b.ID); got != sent {
		d.t.Errorf("%d reminders went out, not %d", got, sent)
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

// logs are the lines that were logged.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logs) lines() [][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Split(bytes.Clone(bytes.TrimSpace(l.text.Bytes())), []byte("\n"))
}

func (l *logs) contains(part string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Contains(l.text.Bytes(), []byte(part))
}
