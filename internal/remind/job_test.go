package remind_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bookings/internal/booking"
	"bookings/internal/pgbatch"
	"bookings/internal/remind"
)

// job is what River keeps of a reminder's job.
type job struct {
	ID          int64
	Kind        string
	Queue       string
	State       string
	ScheduledAt time.Time
	Args        remind.Args
}

func (d *desk) jobs() []job {
	d.t.Helper()
	rows, err := d.Pool.Query(d.t.Context(), "SELECT id, kind, queue, state::text, scheduled_at, args FROM river_job ORDER BY id")
	if err != nil {
		d.t.Fatal(err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (j job, err error) {
		var args []byte
		if err := row.Scan(&j.ID, &j.Kind, &j.Queue, &j.State, &j.ScheduledAt, &args); err != nil {
			return j, err
		}
		return j, json.Unmarshal(args, &j.Args)
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return found
}

// checkJobs compares what is there with the states wanted, oldest first.
func (d *desk) checkJobs(states ...string) []job {
	d.t.Helper()
	jobs := d.jobs()
	got := make([]string, len(jobs))
	for i, j := range jobs {
		got[i] = j.State
	}
	if len(got) != len(states) {
		d.t.Fatalf("jobs are %v, not %v", got, states)
	}
	for i := range states {
		if got[i] != states[i] {
			d.t.Errorf("jobs are %v, not %v", got, states)
		}
	}
	return jobs
}

func TestABookingHasAJobForItsReminder(t *testing.T) {
	t.Parallel()
	d := open(t, 10*time.Minute)
	b := d.book(time.Hour)
	j := d.checkJobs("scheduled")[0]
	if j.Kind != "reminder" || j.Queue != remind.Queue || !j.ScheduledAt.Equal(b.Reminder.DueTime) {
		t.Errorf("the job is %+v", j)
	}
	if want := (remind.Args{BookingID: b.ID, Moves: 0, LeadSeconds: new(int32(600)), RequestID: "the-request"}); !reflect.DeepEqual(j.Args, want) {
		t.Errorf("its arguments are %+v", j.Args)
	}
	if got := d.stored(b).Reminder.JobID; got == nil || *got != j.ID {
		t.Errorf("the booking knows the job %v, not %d", got, j.ID)
	}
}

func TestABookingInsideTheLeadHasAJobThatIsDue(t *testing.T) {
	t.Parallel()
	d := open(t, 10*time.Minute)
	d.book(5 * time.Minute)
	d.checkJobs("available")
}

func TestABookingAfterItsStartHasNoJob(t *testing.T) {
	t.Parallel()
	d := open(t, 10*time.Minute)
	b := d.book(-5 * time.Minute)
	d.checkJobs()
	d.checkReminder(b, booking.ReminderSkipped, 0)
}

func TestAJobIsGoneWithARollback(t *testing.T) {
	t.Parallel()
	d := open(t, 10*time.Minute)
	b := d.book(time.Hour)
	undo := errors.New("undo")
	err := pgx.BeginFunc(t.Context(), d.Pool, func(tx pgx.Tx) error {
		var batch pgbatch.Batch
		remind.Cancel(&batch, b.Reminder, b.UpdateTime)
		if err := batch.Send(t.Context(), tx); err != nil {
			return err
		}
		again, err := d.Jobs.InsertTx(t.Context(), tx, remind.Args{BookingID: b.ID, Moves: b.Moves + 1}, nil)
		if err != nil || again.Job.ID == *b.Reminder.JobID {
			t.Errorf("inserted %v, %v", again, err)
		}
		return undo
	})
	if !errors.Is(err, undo) {
		t.Fatal(err)
	}
	d.checkJobs("scheduled")
}

func TestARefusedBookingLeavesNoJob(t *testing.T) {
	t.Parallel()
	d := open(t, 10*time.Minute)
	b := d.book(time.Hour)
	_, err := d.Create(t.Context(), ben, booking.Request{CustomerID: "carl", Slot: booking.Slot{Start: b.Slot.Start, End: b.Slot.End}})
	if !booking.IsReason(err, booking.ReasonSlotTaken) {
		t.Error(err)
	}
	d.checkJobs("scheduled")
}

func TestAJobIsCancelledWithItsBooking(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]booking.Change{
		"cancel": booking.Cancel(""), "complete": booking.Complete(), "no show": booking.MarkNoShow(),
	} {
		d := open(t, 10*time.Minute)
		b := d.book(time.Hour)
		if name != "cancel" {
			d.Now = func() time.Time { return b.Slot.Start } // the worker was away
		}
		d.change(b, change)
		d.checkJobs("cancelled")
		d.checkReminder(b, booking.ReminderSkipped, 0)
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

func TestAConfirmationLeavesTheJob(t *testing.T) {
	t.Parallel()
	d := open(t, 10*time.Minute)
	start := d.Now().Add(time.Hour)
	created, err := d.Create(t.Context(), anna, booking.Request{ProviderID: ben.ID, Slot: booking.Slot{Start: start, End: start.Add(time.Hour)}})
	if err != nil {
		t.Fatal(err)
	}
	d.change(created.Booking, booking.Confirm())
	d.checkJobs("scheduled")
	d.checkReminder(created.Booking, booking.ReminderScheduled, 0)
}

func TestAMoveReplacesTheJob(t *testing.T) {
	t.Parallel()
	d := open(t, 10*time.Minute)
	b := d.book(time.Hour)
	for moves := int32(1); moves <= 3; moves++ {
		b = d.move(b, time.Hour)
		states := []string{"cancelled", "cancelled", "cancelled", "scheduled"}
		jobs := d.checkJobs(states[3-moves:]...)
		j := jobs[moves]
		want := remind.Args{BookingID: b.ID, Moves: moves, LeadSeconds: new(int32(600)), RequestID: "the-move"}
		if !reflect.DeepEqual(j.Args, want) || !j.ScheduledAt.Equal(b.Reminder.DueTime) {
			t.Errorf("after %d moves the job is %+v, due %v", moves, j, b.Reminder.DueTime)
		}
		if got := d.stored(b).Reminder.JobID; got == nil || *got != j.ID {
			t.Errorf("the booking knows the job %v, not %d", got, j.ID)
		}
	}
}

// Back at the same times it is another job: uniqueness by time would lose it.
func TestAMoveAwayAndBackHasAJobAgain(t *testing.T) {
	t.Parallel()
	d := open(t, 10*time.Minute)
	b := d.book(time.Hour)
	b = d.move(b, time.Hour)
	d.move(b, -time.Hour)
	d.checkJobs("cancelled", "cancelled", "scheduled")
}

// River removes old jobs; the booking may still know their ids.
func TestACancelIsNotStoppedByAJobThatIsGone(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		"DELETE FROM river_job",
		"UPDATE river_job SET state = 'completed', finalized_at = now()",
		"UPDATE river_job SET state = 'discarded', finalized_at = now()",
		"UPDATE river_job SET state = 'running'",
	} {
		d := open(t, 10*time.Minute)
		b := d.book(time.Hour)
		exec(t, d.Pool.Pool, sql)
		d.change(b, booking.Cancel(""))
		d.checkReminder(b, booking.ReminderSkipped, 0)
	}
}

// One key for one booking and number of moves: what is scheduled twice is one
// job, whose id both learn.
func TestOneJobForEachBookingAndMove(t *testing.T) {
	t.Parallel()
	d := open(t, 10*time.Minute)
	b := d.book(time.Hour)
	err := pgx.BeginFunc(t.Context(), d.Pool, func(tx pgx.Tx) error {
		lead := int32(b.Lead().Seconds())
		again, err := d.Jobs.InsertTx(t.Context(), tx, remind.Args{BookingID: b.ID, LeadSeconds: &lead, RequestID: "another-request"}, nil)
		if err == nil && again.Job.ID != *b.Reminder.JobID {
			t.Errorf("jobs %d and %d", *b.Reminder.JobID, again.Job.ID)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	d.checkJobs("scheduled")
}
