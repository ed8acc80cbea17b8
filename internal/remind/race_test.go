package remind_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
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
	return 400
}

// turn is the reminder whose job meets a change: that of a lead, of bookings that
// start so late that the longer ones have passed.
type turn struct {
	leads    booking.Leads
	startsIn time.Duration
	lead     time.Duration
}

const day = 24 * time.Hour

// farApart are so far apart that all bookings of a race begin between two of them.
var farApart = booking.Leads{20 * day, 10 * day, 5 * day}

// eachTurn races the reminder of a booking's only lead, and of each of several.
var eachTurn = map[string]turn{
	"the only lead": {booking.Leads{always}, day, always},
	"the first":     {farApart, 21 * day, 20 * day},
	"the second":    {farApart, 11 * day, 10 * day},
	"the last":      {farApart, 6 * day, 5 * day},
}

// raced is a worker whose first job of each booking begins together with
// whoever else meets at that booking's barrier.
type raced struct {
	*remind.Worker
	turn     turn
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
	if job.Args.Moves == 0 && job.Attempt == 1 && *job.Args.LeadSeconds == int32(r.turn.lead.Seconds()) {
		r.meet(job.Args.BookingID)
	}
	return r.Worker.Work(ctx, job)
}

// race books many times, and makes a change of each booking at the moment when the
// reminder of a lead goes out. What is left to come then comes at once.
func (d *desk) race(turn turn, change func(by booking.Actor, b booking.Booking) error) {
	d.t.Helper()
	d.Terms.Leads = turn.leads
	worker := &raced{Worker: d.worker, turn: turn}
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
	for range turn.leads {
		d.rested()
		d.checkJobsToCome()
		d.hurry()
	}
	d.drained()
}

// checkJobsToCome looks for reminders to come without a job, and for jobs of none.
func (d *desk) checkJobsToCome() {
	d.t.Helper()
	d.none("reminders to come without their job, or jobs without their reminder", `
		SELECT count(*)
		FROM (SELECT * FROM bookings WHERE reminder_state = 'SCHEDULED') AS booking
		FULL JOIN (SELECT * FROM river_job WHERE state = 'scheduled') AS job
			ON job.id = reminder_job_id AND args->>'bookingId' = booking.id::text AND (args->>'moves')::int = moves
			AND scheduled_at = reminder_due_time AND start_time - reminder_due_time = make_interval(secs => (args->>'leadSeconds')::int)
		WHERE booking.id IS NULL OR job.id IS NULL`)
}

func (d *desk) play(worker *raced, by booking.Actor, change func(by booking.Actor, b booking.Booking) error) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range rounds() / players {
		start := d.Now().Add(worker.turn.startsIn + time.Duration(i)*61*time.Second)
		created, err := d.Create(d.t.Context(), by, booking.Request{CustomerID: anna.ID, Slot: booking.Slot{Start: start, End: start.Add(time.Minute)}})
		if err != nil {
			d.t.Error(err)
			continue
		}
		d.hurryOne(created.Booking)
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
	for name, turn := range eachTurn {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			d.race(turn, func(by booking.Actor, b booking.Booking) error {
				_, err := d.Change(t.Context(), by, bookingsvc.Target{ID: b.ID}, booking.Cancel(""))
				return err
			})
			d.checkReminders()
			d.none("bookings that are not cancelled", "SELECT count(*) FROM bookings WHERE status <> 'CANCELLED'")
			d.none("reminders of another lead", "SELECT count(*) FROM booking_events WHERE data->>'leadSeconds' <> $1", fmt.Sprint(int(turn.lead.Seconds())))
			d.none("bookings whose last reminder is not what happened", `
				SELECT count(*) FROM bookings
				WHERE reminder_state <> CASE WHEN EXISTS (
					SELECT 1 FROM booking_events WHERE booking_id = bookings.id AND data->>'leadSeconds' = $1
				) THEN 'SENT' ELSE 'SKIPPED' END`, fmt.Sprint(int(slices.Min(turn.leads).Seconds())))
		})
	}
}

func TestEachStartIsRemindedOfAsLongAsItIsTheStart(t *testing.T) {
	t.Parallel()
	for name, turn := range eachTurn {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			d.race(turn, func(by booking.Actor, b booking.Booking) error {
				slot := b.Slot
				for _, shift := range []time.Duration{10 * day, 0} { // away and back
					_, err := d.Reschedule(t.Context(), by, bookingsvc.Target{ID: b.ID},
						bookingsvc.Move{Slot: booking.Slot{Start: slot.Start.Add(shift), End: slot.End.Add(shift)}})
					if err != nil {
						return err
					}
				}
				return nil
			})
			d.checkReminders()
			d.none("bookings without the reminders of the start that they have", `
				SELECT count(*) FROM bookings
				WHERE reminder_state <> 'SENT' OR $1 <> (
					SELECT count(*) FROM booking_events
					WHERE booking_id = bookings.id AND type = 'booking.reminder.due' AND start_time = bookings.start_time
				)`, turn.left())
		})
	}
}

// left is how many reminders of the start come, from the one that meets the change.
func (t turn) left() int {
	return len(t.leads) - slices.Index(t.leads, t.lead)
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
	d.none("starts reminded of twice by one lead", `
		SELECT count(*) FROM (
			SELECT FROM booking_events WHERE type = 'booking.reminder.due'
			GROUP BY booking_id, start_time, data->>'leadSeconds' HAVING count(*) > 1
		) AS twice`)
	d.none("reminders of a shorter lead before one of a longer", `
		SELECT count(*) FROM booking_events AS a JOIN booking_events AS b USING (booking_id, start_time)
		WHERE a.ordinal < b.ordinal AND (a.data->>'leadSeconds')::int < (b.data->>'leadSeconds')::int`)
	d.none("feeds whose head is not the highest entry and the count of entries", `
		SELECT count(*) FROM feeds WHERE (head, head) <> (
			SELECT max(sequence), count(*) FROM feed_entries WHERE role = feeds.role AND user_id = feeds.user_id
		)`)
	const bad = "errors::text LIKE '%SQLSTATE%'"
	d.none("jobs that met an error of the database", "SELECT count(*) FROM river_job WHERE "+bad)
}

func (d *desk) none(what, query string, args ...any) {
	d.t.Helper()
	if n := value[int](d, query, args...); n != 0 {
		d.t.Errorf("there are %d %s", n, what)
	}
}
