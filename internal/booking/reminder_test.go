package booking_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"bookings/internal/booking"
)

func TestAReminderIsDueByTheLeadBeforeTheStart(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		startsIn time.Duration
		state    booking.ReminderState
	}{
		"long before":      {48 * time.Hour, booking.ReminderScheduled},
		"at the lead":      {lead, booking.ReminderScheduled},
		"inside the lead":  {lead / 2, booking.ReminderScheduled}, // due at once
		"at the last time": {time.Microsecond, booking.ReminderScheduled},
		"at the start":     {0, booking.ReminderSkipped},
		"after the start":  {-time.Hour, booking.ReminderSkipped},
	}
	for name, test := range tests {
		slot := hourFrom(now.Add(test.startsIn))
		made, _, err := booking.New(uuid.Max, provider, booking.Request{ProviderID: "ben", CustomerID: "anna", Slot: slot}, now, lead)
		if err != nil {
			t.Fatal(err)
		}
		moved, _, err := booking.Reschedule(slot, lead).Apply(booked(booking.StatusPending, 99*time.Hour), provider, "", now)
		if err != nil {
			t.Fatal(err)
		}
		want := booking.Reminder{DueTime: slot.Start.Add(-lead), State: test.state}
		if made.Reminder != want || moved.Reminder != want {
			t.Errorf("%s: made %+v, moved %+v, want %+v", name, made.Reminder, moved.Reminder, want)
		}
	}
}

func TestAReminderIsDueAtAWholeMicrosecond(t *testing.T) {
	t.Parallel()
	request := booking.Request{ProviderID: "ben", CustomerID: "anna", Slot: hourFrom(now.Add(time.Hour))}
	b, _, err := booking.New(uuid.Max, provider, request, now, 1500*time.Nanosecond)
	if want := request.Slot.Start.Add(-2 * time.Microsecond); err != nil || !b.Reminder.DueTime.Equal(want) {
		t.Errorf("due at %v, want %v, %v", b.Reminder.DueTime, want, err)
	}
}

// No timestamp can spell a time before the first year.
func TestAReminderIsNeverDueBeforeTheFirstYear(t *testing.T) {
	t.Parallel()
	slot := hourFrom(time.Date(1, 1, 1, 0, 5, 0, 0, time.UTC))
	b, _, err := booking.New(uuid.Max, provider, booking.Request{ProviderID: "ben", CustomerID: "anna", Slot: slot}, now, lead)
	if err != nil || !b.Reminder.DueTime.Equal(slot.Start) || b.Reminder.State != booking.ReminderSkipped {
		t.Errorf("reminder = %+v, %v", b.Reminder, err)
	}
}

func TestABookingThatIsOverNeedsNoReminder(t *testing.T) {
	t.Parallel()
	for _, action := range []booking.Action{booking.ActionCancel, booking.ActionComplete, booking.ActionMarkNoShow} {
		for before, want := range map[booking.ReminderState]booking.ReminderState{
			booking.ReminderScheduled: booking.ReminderSkipped,
			booking.ReminderSkipped:   booking.ReminderSkipped,
			booking.ReminderSent:      booking.ReminderSent, // it did go out
		} {
			b := booked(booking.StatusConfirmed, -time.Minute)
			b.Reminder.State = before
			after, _, err := change(action).Apply(b, provider, "", now)
			if err != nil || after.Reminder.State != want {
				t.Errorf("%s, %s: %s, %v", action, before, after.Reminder.State, err)
			}
		}
	}
}

func TestAConfirmationLeavesTheReminder(t *testing.T) {
	t.Parallel()
	job := int64(42)
	before := booked(booking.StatusPending, time.Hour)
	before.Reminder.JobID = &job
	after, _, err := booking.Confirm().Apply(before, provider, "", now)
	if err != nil || after.Reminder != before.Reminder {
		t.Errorf("reminder = %+v, %v", after.Reminder, err)
	}
}

func TestAMoveMakesANewReminderWithoutAJob(t *testing.T) {
	t.Parallel()
	job := int64(42)
	for _, state := range []booking.ReminderState{booking.ReminderScheduled, booking.ReminderSent, booking.ReminderSkipped} {
		before := booked(booking.StatusConfirmed, time.Minute)
		before.Reminder.State, before.Reminder.JobID = state, &job
		after, _, err := booking.Reschedule(elsewhere, lead).Apply(before, customer, "", now)
		want := booking.Reminder{DueTime: elsewhere.Start.Add(-lead), State: booking.ReminderScheduled}
		if err != nil || after.Reminder != want {
			t.Errorf("from %s: %+v, %v", state, after.Reminder, err)
		}
	}
}

// remindings are what a job does that runs for a booking which has been moved
// twice.
var remindings = map[string]struct {
	status      booking.Status
	startsIn    time.Duration
	state       booking.ReminderState
	moves       int32
	alreadySent bool
	want        booking.ReminderState // empty: as before
	send        bool
}{
	"pending":           {booking.StatusPending, lead, booking.ReminderScheduled, 2, false, booking.ReminderSent, true},
	"confirmed":         {booking.StatusConfirmed, lead, booking.ReminderScheduled, 2, false, booking.ReminderSent, true},
	"at the last time":  {booking.StatusConfirmed, time.Microsecond, booking.ReminderScheduled, 2, false, booking.ReminderSent, true},
	"at the start":      {booking.StatusConfirmed, 0, booking.ReminderScheduled, 2, false, booking.ReminderSkipped, false},
	"started":           {booking.StatusConfirmed, -time.Hour, booking.ReminderScheduled, 2, false, booking.ReminderSkipped, false},
	"away and back":     {booking.StatusConfirmed, lead, booking.ReminderScheduled, 2, true, booking.ReminderSent, false},
	"back, and started": {booking.StatusConfirmed, -time.Hour, booking.ReminderScheduled, 2, true, booking.ReminderSent, false},
	"moved since":       {booking.StatusConfirmed, lead, booking.ReminderScheduled, 1, false, "", false},
	"moved since, sent": {booking.StatusConfirmed, lead, booking.ReminderScheduled, 1, true, "", false},
	"of another future": {booking.StatusConfirmed, lead, booking.ReminderScheduled, 3, false, "", false},
	"sent":              {booking.StatusConfirmed, lead, booking.ReminderSent, 2, true, "", false},
	"skipped":           {booking.StatusConfirmed, lead, booking.ReminderSkipped, 2, false, "", false},
	"cancelled":         {booking.StatusCancelled, lead, booking.ReminderSkipped, 2, false, "", false},
	"not marked":        {booking.StatusCancelled, lead, booking.ReminderScheduled, 2, false, booking.ReminderSkipped, false},
	"completed":         {booking.StatusCompleted, -time.Hour, booking.ReminderSkipped, 2, false, "", false},
	"no show, not mark": {booking.StatusNoShow, lead, booking.ReminderScheduled, 2, false, booking.ReminderSkipped, false},
}

func TestAJobRemindsOnceAndOnlyOfWhatIs(t *testing.T) {
	t.Parallel()
	for name, test := range remindings {
		b := booked(test.status, test.startsIn)
		b.Reminder.State = test.state
		want := b
		if test.want != "" {
			want.Reminder.State = test.want
		}
		after, event := b.Remind(test.moves, test.alreadySent, now)
		if !reflect.DeepEqual(after, want) || (event != nil) != test.send {
			t.Errorf("%s: %+v, event %v", name, after.Reminder, event)
		}
	}
}
