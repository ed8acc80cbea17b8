package remind_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
	"bookings/internal/remind"
)

const players = 4

// rounds is how often each race is run: enough that what is wrong shows.
func rounds() int {
	if testing.Short() {
		return 100
	}
	return 1000
}

// raced is a worker whose first job of each booking begins together with
// whoever else meets at that booking's barrier.
type raced struct {
	*remind.Worker
	barriers sync.Map
}

// barrier opens once two have come.
type barrier struct {
	come atomic.Int32
	open chan struct{}
}

func (r *raced) meet(id uuid.UUID) {
	found, _ := r.barriers.LoadOrStore(id, &barrier{open: make(chan struct{})})
	b, ok := found.(*barrier)
	if !ok {
		panic("only barriers are stored")
	}
	if b.come.Add(1) == 2 {
		close(b.open)
	}
	<-b.open
}

func (r *raced) Work(ctx context.Context, job *river.Job[remind.Args]) error {
	if job.Args.Moves == 0 && job.Attempt == 1 {
		r.meet(job.Args.BookingID)
	}
	return r.Worker.Work(ctx, job)
}

// race books many times, all due at once, and makes a change of each booking at
// the moment when its reminder goes out.
func (d *desk) race(change func(by booking.Actor, b booking.Booking) error) {
	d.t.Helper()
	worker := &raced{Worker: d.worker}
	workers := river.NewWorkers()
	river.AddWorker(workers, worker)
	client, err := river.NewClient(riverpgxv5.New(d.Pool.Pool), &river.Config{
		Queues: map[string]river.QueueConfig{remind.Queue: {MaxWorkers: players}}, Workers: workers, Logger: d.worker.Log,
		FetchPollInterval: 100 * time.Millisecond, FetchCooldown: time.Millisecond,
	})
	if err != nil {
		d.t.Fatal(err)
	}
	d.start(client)
	var all sync.WaitGroup
	for i := range players {
		all.Go(func() {
			d.play(worker, booking.Actor{Role: booking.RoleProvider, ID: fmt.Sprint("provider-", i)}, change)
		})
	}
	all.Wait()
	d.drained()
}

func (d *desk) play(worker *raced, by booking.Actor, change func(by booking.Actor, b booking.Booking) error) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range rounds() / players {
		start := d.Now().Add(time.Duration(24+i) * time.Hour)
		created, err := d.Create(d.t.Context(), by, booking.Request{CustomerID: anna.ID, Slot: booking.Slot{Start: start, End: start.Add(time.Minute)}})
		if err != nil {
			d.t.Error(err)
			continue
		}
		worker.meet(created.Booking.ID)
		for range random.IntN(3) { // neither side is always the first
			_ = d.stored(created.Booking)
		}
		if err := change(by, created.Booking); err != nil {
			d.t.Error(err)
			return
		}
	}
}

func TestNoReminderFollowsACancel(t *testing.T) {
	t.Parallel()
	d := open(t, always)
	d.race(func(by booking.Actor, b booking.Booking) error {
		_, err := d.Change(t.Context(), by, bookingsvc.Target{ID: b.ID}, booking.Cancel(""))
		return err
	})
	d.checkReminders()
	d.none("bookings that are not cancelled", "SELECT count(*) FROM bookings WHERE status <> 'CANCELLED'")
	d.none("bookings whose reminder is not what happened", `
		SELECT count(*) FROM bookings
		WHERE reminder_state <> CASE WHEN EXISTS (
			SELECT 1 FROM booking_events WHERE booking_id = bookings.id AND type = 'booking.reminder.due'
		) THEN 'SENT' ELSE 'SKIPPED' END`)
}

func TestEachStartIsRemindedOfAsLongAsItIsTheStart(t *testing.T) {
	t.Parallel()
	d := open(t, always)
	d.race(func(by booking.Actor, b booking.Booking) error {
		slot := b.Slot
		for _, shift := range []time.Duration{100 * 24 * time.Hour, 0} { // away and back
			_, err := d.Reschedule(t.Context(), by, bookingsvc.Target{ID: b.ID},
				bookingsvc.Move{Slot: booking.Slot{Start: slot.Start.Add(shift), End: slot.End.Add(shift)}})
			if err != nil {
				return err
			}
		}
		return nil
	})
	d.checkReminders()
	d.none("bookings without a reminder of the start that they have", `
		SELECT count(*) FROM bookings
		WHERE reminder_state <> 'SENT' OR NOT EXISTS (
			SELECT 1 FROM booking_events
			WHERE booking_id = bookings.id AND type = 'booking.reminder.due' AND start_time = bookings.start_time
		)`)
}

// checkReminders looks for reminders that must not be, whatever has happened.
func (d *desk) checkReminders() {
	d.t.Helper()
	d.none("reminders of bookings that were cancelled", `
		SELECT count(*) FROM booking_events AS reminder
		JOIN booking_events AS cancelled USING (booking_id)
		WHERE reminder.type = 'booking.reminder.due' AND cancelled.type = 'booking.cancelled'
			AND reminder.ordinal > cancelled.ordinal`)
	d.none("reminders of a start that the booking did not have", `
		SELECT count(*) FROM booking_events AS reminder
		WHERE type = 'booking.reminder.due' AND start_time <> (
			SELECT start_time FROM booking_events AS before
			WHERE before.booking_id = reminder.booking_id AND type IN ('booking.created', 'booking.rescheduled')
				AND before.ordinal < reminder.ordinal
			ORDER BY ordinal DESC LIMIT 1
		)`)
	d.none("starts reminded of twice", `
		SELECT count(*) FROM (
			SELECT FROM booking_events WHERE type = 'booking.reminder.due' GROUP BY booking_id, start_time HAVING count(*) > 1
		) AS twice`)
	d.none("feeds whose head is not the highest entry and the count of entries", `
		SELECT count(*) FROM feeds WHERE (head, head) <> (
			SELECT max(sequence), count(*) FROM feed_entries WHERE role = feeds.role AND user_id = feeds.user_id
		)`)
	const bad = "errors::text LIKE '%SQLSTATE%'"
	d.none("jobs that met an error of the database", "SELECT count(*) FROM river_job WHERE "+bad)
}

func (d *desk) none(what, query string) {
	d.t.Helper()
	if n := value[int](d, query); n != 0 {
		d.t.Errorf("there are %d %s", n, what)
	}
}
