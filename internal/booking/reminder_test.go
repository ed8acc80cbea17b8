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
		made, _, err := booking.New(uuid.Max, provider, booking.Request{ProviderID: "ben", CustomerID: "anna", Slot: slot}, now, terms)
		if err != nil {
			t.Fatal(err)
		}
		moved, _, err := booking.Reschedule(slot, 0).Apply(booked(booking.StatusPending, 99*time.Hour), provider, "", now)
		if err != nil {
			t.Fatal(err)
		}
		want := booking.Reminder{Leads: leads, DueTime: slot.Start.Add(-lead), State: test.state}
		if !reflect.DeepEqual(made.Reminder, want) || !reflect.DeepEqual(moved.Reminder, want) {
			t.Errorf("%s: made %+v, moved %+v, want %+v", name, made.Reminder, moved.Reminder, want)
		}
	}
}

func TestAReminderIsDueAtAWholeMicrosecond(t *testing.T) {
	t.Parallel()
	request := booking.Request{ProviderID: "ben", CustomerID: "anna", Slot: hourFrom(now.Add(time.Hour))}
	b, _, err := booking.New(uuid.Max, provider, request, now, booking.Terms{Leads: booking.Leads{1500 * time.Nanosecond}})
	if want := request.Slot.Start.Add(-2 * time.Microsecond); err != nil || !b.Reminder.DueTime.Equal(want) {
		t.Errorf("due at %v, want %v, %v", b.Reminder.DueTime, want, err)
	}
}

// several are leads in no order.
var several = booking.Leads{time.Hour, 24 * time.Hour, 5 * time.Minute}

// ordered are the same as they are kept.
var ordered = booking.Leads{24 * time.Hour, time.Hour, 5 * time.Minute}

func TestTheFirstReminderIsOfTheLongestLeadThatHasNotPassed(t *testing.T) {
	t.Parallel()
	for startsIn, lead := range map[time.Duration]time.Duration{
		48 * time.Hour:                  24 * time.Hour,
		24 * time.Hour:                  24 * time.Hour, // due at once
		24*time.Hour - time.Microsecond: time.Hour,
		10 * time.Minute:                5 * time.Minute,
		time.Minute:                     5 * time.Minute, // all have passed
		-time.Hour:                      5 * time.Minute,
	} {
		slot := hourFrom(now.Add(startsIn))
		request := booking.Request{ProviderID: "ben", CustomerID: "anna", Slot: slot, Leads: several}
		made, _, err := booking.New(uuid.Max, provider, request, now, terms)
		if err != nil {
			t.Fatal(err)
		}
		before := booked(booking.StatusConfirmed, 99*time.Hour)
		before.Reminder.Leads = ordered
		moved, _, err := booking.Reschedule(slot, 0).Apply(before, provider, "", now)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range []booking.Booking{made, moved} {
			if b.Lead() != lead || !reflect.DeepEqual(b.Reminder.Leads, ordered) {
				t.Errorf("starts in %v: %+v, not of %v", startsIn, b.Reminder, lead)
			}
		}
	}
}

// No timestamp can spell a time before the first year.
func TestAReminderIsNeverDueBeforeTheFirstYear(t *testing.T) {
	t.Parallel()
	slot := hourFrom(time.Date(1, 1, 1, 0, 5, 0, 0, time.UTC))
	b, _, err := booking.New(uuid.Max, provider, booking.Request{ProviderID: "ben", CustomerID: "anna", Slot: slot}, now, terms)
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
	if err != nil || !reflect.DeepEqual(after.Reminder, before.Reminder) {
		t.Errorf("reminder = %+v, %v", after.Reminder, err)
	}
}

func TestAMoveMakesANewReminderWithoutAJob(t *testing.T) {
	t.Parallel()
	job := int64(42)
	for _, state := range []booking.ReminderState{booking.ReminderScheduled, booking.ReminderSent, booking.ReminderSkipped} {
		before := booked(booking.StatusConfirmed, time.Minute)
		before.Reminder.State, before.Reminder.JobID = state, &job
		after, _, err := booking.Reschedule(elsewhere, 0).Apply(before, customer, "", now)
		want := booking.Reminder{Leads: leads, DueTime: elsewhere.Start.Add(-lead), State: booking.ReminderScheduled}
		if err != nil || !reflect.DeepEqual(after.Reminder, want) {
			t.Errorf("from %s: %+v, %v", state, after.Reminder, err)
		}
	}
}

// turns are jobs of bookings with several leads, which are to remind by one lead.
var turns = map[string]struct {
	startsIn time.Duration
	next     time.Duration // is to come
	job      time.Duration // is of
	sent     booking.Leads // before a move away and back
	told     time.Duration // is reminded of; 0 for none
	then     time.Duration // comes after it, or was the last
	state    booking.ReminderState
}{
	"the first":            {24 * time.Hour, 24 * time.Hour, 24 * time.Hour, nil, 24 * time.Hour, time.Hour, booking.ReminderScheduled},
	"the second":           {time.Hour, time.Hour, time.Hour, nil, time.Hour, 5 * time.Minute, booking.ReminderScheduled},
	"the last":             {5 * time.Minute, 5 * time.Minute, 5 * time.Minute, nil, 5 * time.Minute, 5 * time.Minute, booking.ReminderSent},
	"late":                 {2 * time.Hour, 24 * time.Hour, 24 * time.Hour, nil, 24 * time.Hour, time.Hour, booking.ReminderScheduled},
	"two are overdue":      {30 * time.Minute, 24 * time.Hour, 24 * time.Hour, nil, time.Hour, 5 * time.Minute, booking.ReminderScheduled},
	"all are overdue":      {time.Minute, 24 * time.Hour, 24 * time.Hour, nil, 5 * time.Minute, 5 * time.Minute, booking.ReminderSent},
	"too late":             {0, 24 * time.Hour, 24 * time.Hour, nil, 0, 5 * time.Minute, booking.ReminderSkipped},
	"of a lead gone by":    {30 * time.Minute, 5 * time.Minute, time.Hour, booking.Leads{time.Hour}, 0, 5 * time.Minute, booking.ReminderScheduled},
	"of a lead to come":    {2 * time.Hour, time.Hour, 5 * time.Minute, nil, 0, time.Hour, booking.ReminderScheduled},
	"sent before":          {24 * time.Hour, 24 * time.Hour, 24 * time.Hour, booking.Leads{24 * time.Hour}, 0, time.Hour, booking.ReminderScheduled},
	"sent before, overdue": {30 * time.Minute, 24 * time.Hour, 24 * time.Hour, booking.Leads{time.Hour}, 0, 5 * time.Minute, booking.ReminderScheduled},
	"another sent before":  {time.Hour, time.Hour, time.Hour, booking.Leads{24 * time.Hour}, time.Hour, 5 * time.Minute, booking.ReminderScheduled},
	"the last sent before": {0, 5 * time.Minute, 5 * time.Minute, booking.Leads{5 * time.Minute}, 0, 5 * time.Minute, booking.ReminderSent},
	"a lead that is not there": { // as one of the version before leaves it
		15 * time.Minute, 15 * time.Minute, 15 * time.Minute, nil, 15 * time.Minute, 5 * time.Minute, booking.ReminderScheduled,
	},
}

func TestOneReminderIsFollowedByThatOfTheNextLead(t *testing.T) {
	t.Parallel()
	job := int64(42)
	for name, test := range turns {
		b := booked(booking.StatusConfirmed, test.startsIn)
		b.Reminder = booking.Reminder{Leads: ordered, DueTime: b.Slot.Start.Add(-test.next), State: booking.ReminderScheduled, JobID: &job}
		after, event := b.Remind(b.Moves, test.job, test.sent, now)
		if (event != nil) != (test.told != 0) || event != nil && *event.Data.LeadSeconds != int32(test.told.Seconds()) {
			t.Errorf("%s: event %+v", name, event)
		}
		if after.Lead() != test.then || after.Reminder.State != test.state {
			t.Errorf("%s: %+v", name, after.Reminder)
		}
		if !reflect.DeepEqual(after.Reminder.Leads, ordered) || after.Version != b.Version || !after.UpdateTime.Equal(b.UpdateTime) {
			t.Errorf("%s: %+v", name, after)
		}
		if test.next != test.then && after.Reminder.State == booking.ReminderScheduled && after.Reminder.JobID != nil {
			t.Errorf("%s: the next has the job of the one before", name)
		}
	}
}

func TestABookingThatIsCalledOffIsDueNoMore(t *testing.T) {
	t.Parallel()
	b := booked(booking.StatusConfirmed, 48*time.Hour)
	b.Reminder.Leads, b.Reminder.DueTime = ordered, b.Slot.Start.Add(-24*time.Hour)
	after, _, err := booking.Cancel("").Apply(b, provider, "", now)
	if err != nil || after.Lead() != 5*time.Minute || after.Reminder.State != booking.ReminderSkipped {
		t.Errorf("%+v, %v", after.Reminder, err)
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
		var sent booking.Leads
		if test.alreadySent {
			sent = leads
		}
		after, event := b.Remind(test.moves, lead, sent, now)
		if !reflect.DeepEqual(after, want) || (event != nil) != test.send {
			t.Errorf("%s: %+v, event %v", name, after.Reminder, event)
		}
	}
}
