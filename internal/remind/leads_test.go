package remind_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bookings/internal/booking"
	"bookings/internal/remind"
)

// several are the usual wish, and a last call.
var several = []time.Duration{24 * time.Hour, time.Hour, 5 * time.Minute}

// told are the leads that a booking was reminded of, in their order.
func (d *desk) told(b booking.Booking) []time.Duration {
	d.t.Helper()
	rows, err := d.Pool.Query(d.t.Context(),
		"SELECT (data->>'leadSeconds')::int FROM booking_events WHERE booking_id = $1 AND type = 'booking.reminder.due' ORDER BY ordinal", b.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	seconds, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil {
		d.t.Fatal(err)
	}
	return booking.LeadsOf(seconds)
}

// checkNext looks at which reminder is to come, and for its one job.
func (d *desk) checkNext(b booking.Booking, lead time.Duration, requestID string) {
	d.t.Helper()
	got := d.stored(b)
	if got.Lead() != lead || got.Reminder.State != booking.ReminderScheduled || got.Reminder.JobID == nil {
		d.t.Fatalf("to come is %+v, not of %v", got.Reminder, lead)
	}
	jobs := slices.DeleteFunc(d.jobs(), func(j job) bool { return j.State != "scheduled" })
	want := remind.Args{BookingID: b.ID, Moves: got.Moves, LeadSeconds: new(int32(lead.Seconds())), RequestID: requestID}
	if len(jobs) != 1 || jobs[0].ID != *got.Reminder.JobID || !jobs[0].ScheduledAt.Equal(got.Reminder.DueTime) || !reflect.DeepEqual(jobs[0].Args, want) {
		d.t.Errorf("jobs to come are %+v, not one of %+v at %v", jobs, want, got.Reminder.DueTime)
	}
}

func TestEachLeadRemindsOnceInItsTurn(t *testing.T) {
	t.Parallel()
	d := open(t, several...)
	d.work()
	b := d.book(48 * time.Hour)
	for i, lead := range several {
		d.checkNext(b, lead, "the-request")
		d.hurry()
		d.rested()
		if got := d.told(b); !slices.Equal(got, several[:i+1]) {
			t.Fatalf("reminded of %v", got)
		}
	}
	d.drained()
	d.checkReminder(b, booking.ReminderSent, 3)
	if got := d.stored(b); got.Version != b.Version || !got.UpdateTime.Equal(b.UpdateTime) || got.Lead() != 5*time.Minute {
		t.Errorf("%+v", got)
	}
}

func TestRemindersOfSeveralLeadsComeWhenTheyAreDueAndNeverBefore(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for due times")
	}
	d := open(t, 8*time.Second, 4*time.Second)
	d.work()
	reader := d.subscribe(anna)
	b := d.book(9 * time.Second)
	next(t, reader, booking.EventCreated)
	for _, lead := range d.Terms.Leads {
		entry := next(t, reader, booking.EventReminderDue)
		var data booking.EventData
		if err := json.Unmarshal(entry.Data, &data); err != nil || *data.LeadSeconds != int32(lead.Seconds()) {
			t.Errorf("told %s, %v", entry.Data, err)
		}
		if due := b.Slot.Start.Add(-lead); entry.Time.Before(due) || !entry.Time.Before(b.Slot.Start) {
			t.Errorf("due at %v, out at %v", due, entry.Time)
		}
	}
	d.checkReminder(b, booking.ReminderSent, 2)
}

func TestABookingsOwnLeadsComeBeforeTheSettings(t *testing.T) {
	t.Parallel()
	d := open(t, 10*time.Minute)
	start := d.Now().Add(48 * time.Hour)
	created, err := d.Create(t.Context(), ben, booking.Request{
		CustomerID: anna.ID, Slot: booking.Slot{Start: start, End: start.Add(time.Hour)}, Leads: booking.Leads{time.Hour, 24 * time.Hour},
	})
	if err != nil {
		t.Fatal(err)
	}
	d.checkNext(created.Booking, 24*time.Hour, "")
}

// A setting concerns bookings that are made later.
func TestAMoveKeepsTheLeads(t *testing.T) {
	t.Parallel()
	d := open(t, several...)
	b := d.book(48 * time.Hour)
	d.Terms.Leads = booking.Leads{10 * time.Minute}
	b = d.move(b, -46*time.Hour) // inside the first
	d.checkNext(b, time.Hour, "the-move")
	b = d.move(b, 46*time.Hour)
	d.checkNext(b, 24*time.Hour, "the-move")
	if !slices.Equal(b.Reminder.Leads, several) {
		t.Errorf("the leads are %v", b.Reminder.Leads)
	}
}

func TestALeadThatHasPassedIsSkippedFromTheBeginning(t *testing.T) {
	t.Parallel()
	d := open(t, several...)
	d.work()
	b := d.book(2 * time.Hour)
	d.checkNext(b, time.Hour, "the-request")
	allPassed := d.book(time.Minute)
	d.rested()
	if got := d.told(allPassed); !slices.Equal(got, several[2:]) {
		t.Errorf("reminded of %v", got)
	}
	d.checkReminder(allPassed, booking.ReminderSent, 1)
	d.checkReminder(b, booking.ReminderScheduled, 0)
}

// Nobody worked for a day: two reminders at once tell no more than one.
func TestOfLeadsThatAreOverdueTheShortestReminds(t *testing.T) {
	t.Parallel()
	d := open(t, several...)
	b := d.book(48 * time.Hour)
	exec(t, d.Pool.Pool, `UPDATE bookings SET start_time = soon, end_time = soon + interval '1 hour', reminder_due_time = soon - interval '24 hours'
		FROM (SELECT clock_timestamp() + interval '30 minutes' AS soon) AS clock`)
	d.hurry()
	d.work()
	d.rested()
	if got := d.told(b); !slices.Equal(got, several[1:2]) {
		t.Errorf("reminded of %v", got)
	}
	d.checkNext(b, 5*time.Minute, "the-request")
}

func TestAJobThatRunsTwiceTakesNoOthersTurn(t *testing.T) {
	t.Parallel()
	d := open(t, several...)
	d.work()
	b := d.book(48 * time.Hour)
	for i := range several {
		d.hurry()
		d.rested()
		exec(t, d.Pool.Pool, "UPDATE river_job SET state = 'available', finalized_at = NULL WHERE state = 'completed'")
		d.rested()
		if got := d.told(b); !slices.Equal(got, several[:i+1]) {
			t.Fatalf("reminded of %v", got)
		}
	}
}

func TestAJobOfTheNextLeadIsCancelledWithItsBooking(t *testing.T) {
	t.Parallel()
	d := open(t, several...)
	d.work()
	b := d.book(48 * time.Hour)
	d.hurry()
	d.rested()
	d.change(b, booking.Cancel(""))
	d.checkJobs("completed", "cancelled")
	d.checkReminder(b, booking.ReminderSkipped, 1)
}

func TestEachLeadRemindsOnceOfEachStart(t *testing.T) {
	t.Parallel()
	d := open(t, several...)
	d.work()
	b := d.book(48 * time.Hour)
	d.hurry()
	d.rested() // the first lead's has gone out
	d.move(b, time.Hour)
	d.move(b, 0)
	for range several {
		d.hurry()
		d.rested()
	}
	if got := d.told(b); !slices.Equal(got, several) {
		t.Errorf("reminded of %v", got)
	}
	d.checkReminder(b, booking.ReminderSent, 3)
}

// It is of the next reminder, whichever that is.
func TestAJobOfTheVersionBeforeReminds(t *testing.T) {
	t.Parallel()
	d := open(t, 10*time.Minute)
	b := d.book(48 * time.Hour)
	exec(t, d.Pool.Pool, "UPDATE bookings SET reminder_leads = '{}'")
	exec(t, d.Pool.Pool, "UPDATE river_job SET args = args - 'leadSeconds'")
	d.work()
	for range 2 { // also where it runs twice
		d.hurry()
		d.drained()
		d.checkReminder(b, booking.ReminderSent, 1)
		exec(t, d.Pool.Pool, "UPDATE river_job SET state = 'available', finalized_at = NULL")
	}
	// What the version before has sent counts for the start, too.
	exec(t, d.Pool.Pool, "UPDATE booking_events SET data = data - 'leadSeconds'")
	d.move(b, time.Hour)
	d.move(b, 0)
	d.hurry()
	d.drained()
	d.checkReminder(b, booking.ReminderSent, 1)
}
