package expire_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
	"bookings/internal/expire"
)

const players = 4

// rounds is how often each race is run: enough that what is wrong shows.
func rounds() int {
	if testing.Short() {
		return 100
	}
	return 1000
}

// raced is a worker whose job of a booking begins together with whoever answers it.
type raced struct {
	*expire.Worker
	begin sync.Map // a channel for each booking
}

func (r *raced) channel(id uuid.UUID) chan struct{} {
	found, _ := r.begin.LoadOrStore(id, make(chan struct{}))
	channel, ok := found.(chan struct{})
	if !ok {
		panic("only channels are stored")
	}
	return channel
}

func (r *raced) Work(ctx context.Context, job *river.Job[expire.Args]) error {
	if job.Args.Moves == 0 && job.Attempt == 1 {
		r.channel(job.Args.BookingID) <- struct{}{}
	}
	return r.Worker.Work(ctx, job)
}

// race makes many bookings that wait for an answer, each of which is answered at the
// moment at which it expires.
func (d *desk) race(answer func(by booking.Actor, b booking.Booking) error) {
	d.t.Helper()
	worker := &raced{Worker: d.worker}
	workers := river.NewWorkers()
	river.AddWorker(workers, worker)
	client, err := river.NewClient(riverpgxv5.New(d.Pool.Pool), &river.Config{
		Queues: map[string]river.QueueConfig{expire.Queue: {MaxWorkers: players}}, Workers: workers, Logger: d.log,
		FetchPollInterval: 100 * time.Millisecond, FetchCooldown: time.Millisecond,
	})
	if err != nil {
		d.t.Fatal(err)
	}
	d.start(client)
	var all sync.WaitGroup
	for i := range players {
		all.Go(func() {
			d.play(worker, booking.Actor{Role: booking.RoleProvider, ID: fmt.Sprint("provider-", i)}, answer)
		})
	}
	all.Wait()
	d.rested()
}

func (d *desk) play(worker *raced, by booking.Actor, answer func(by booking.Actor, b booking.Booking) error) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range rounds() / players {
		start := d.Now().Add(24*time.Hour + time.Duration(i)*61*time.Second)
		created, err := d.Create(d.t.Context(), anna, booking.Request{ProviderID: by.ID, Slot: booking.Slot{Start: start, End: start.Add(time.Minute)}})
		if err != nil {
			d.t.Error(err)
			return
		}
		const due = "UPDATE river_job SET state = 'available', scheduled_at = clock_timestamp() WHERE id = $1"
		if _, err := d.Pool.Exec(d.t.Context(), due, created.Booking.Expiry.JobID); err != nil {
			d.t.Error(err)
			return
		}
		<-worker.channel(created.Booking.ID)
		for range random.IntN(3) { // neither side is always the first
			_ = d.stored(created.Booking)
		}
		// Who comes too late is told so: it is cancelled by then.
		if err := answer(by, created.Booking); err != nil && !booking.IsReason(err, booking.ReasonInvalidTransition) {
			d.t.Error(err)
			return
		}
	}
}

// answers race the expiry, and one wins.
var answers = map[string]struct {
	do func(d *desk, by booking.Actor, b booking.Booking) error
	// won is the status of a booking that was answered in time, event what tells so.
	won   booking.Status
	event booking.EventType
}{
	"confirm": {func(d *desk, by booking.Actor, b booking.Booking) error {
		_, err := d.Change(d.t.Context(), by, bookingsvc.Target{ID: b.ID}, booking.Confirm())
		return err
	}, booking.StatusConfirmed, booking.EventConfirmed},
	"move": {func(d *desk, _ booking.Actor, b booking.Booking) error {
		slot := booking.Slot{Start: b.Slot.Start.AddDate(0, 1, 0), End: b.Slot.End.AddDate(0, 1, 0)}
		_, err := d.Reschedule(d.t.Context(), anna, bookingsvc.Target{ID: b.ID}, bookingsvc.Move{Slot: slot})
		return err
	}, booking.StatusPending, booking.EventRescheduled},
	"cancel": {func(d *desk, _ booking.Actor, b booking.Booking) error {
		_, err := d.Change(d.t.Context(), anna, bookingsvc.Target{ID: b.ID}, booking.Cancel("ill"))
		return err
	}, booking.StatusCancelled, booking.EventCancelled},
}

func TestAnAnswerAndAnExpiryRaceAndOneWins(t *testing.T) {
	t.Parallel()
	for name, test := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, ttl)
			d.race(func(by booking.Actor, b booking.Booking) error { return test.do(d, by, b) })
			d.checkOneWon(test.won, test.event)
		})
	}
}

func (d *desk) checkOneWon(won booking.Status, event booking.EventType) {
	d.t.Helper()
	const bookings = "SELECT count(*) FROM bookings WHERE "
	inTime := fmt.Sprintf("(status = '%s' AND cancelled_by IS DISTINCT FROM 'system')", won)
	d.t.Logf("%d answered in time, %d expired", value[int](d, bookings+inTime), value[int](d, bookings+"cancelled_by = 'system'"))
	d.none("bookings that nobody has won", bookings+"NOT ("+inTime+" OR cancelled_by = 'system')")
	d.none("bookings that were told of otherwise than once, by the winner", fmt.Sprintf(`
		SELECT count(*) FROM bookings WHERE 1 <> (
			SELECT count(*) FROM booking_events WHERE booking_id = bookings.id AND type <> 'booking.created'
		) OR NOT EXISTS (
			SELECT 1 FROM booking_events WHERE booking_id = bookings.id
				AND type = CASE WHEN cancelled_by = 'system' THEN 'booking.cancelled' ELSE '%s' END
				AND (actor_role = 'system') = (cancelled_by IS NOT DISTINCT FROM 'system')
		)`, event))
	d.none("jobs to come of bookings that do not wait, or bookings that wait without a job", `
		SELECT count(*)
		FROM (SELECT * FROM bookings WHERE status = 'PENDING') AS booking
		FULL JOIN (SELECT * FROM river_job WHERE kind = 'expiry' AND state = 'scheduled') AS job
			ON job.id = expire_job_id AND (args->>'moves')::int = moves AND scheduled_at = expire_time
		WHERE booking.id IS NULL OR job.id IS NULL`)
	d.none("jobs of reminders that will not come", `
		SELECT count(*) FROM bookings JOIN river_job ON river_job.id = reminder_job_id
		WHERE status = 'CANCELLED' AND (river_job.state <> 'cancelled' OR reminder_state <> 'SKIPPED')`)
	d.none("feeds whose head is not the highest entry and the count of entries", `
		SELECT count(*) FROM feeds WHERE (head, head) <> (
			SELECT max(sequence), count(*) FROM feed_entries WHERE role = feeds.role AND user_id = feeds.user_id
		)`)
	d.none("jobs that met an error of the database", "SELECT count(*) FROM river_job WHERE errors::text LIKE '%SQLSTATE%'")
}
