package booking

import (
	"slices"
	"time"
)

// ReminderState is whether a reminder is still to come.
type ReminderState string

// The states of a reminder.
const (
	ReminderScheduled ReminderState = "SCHEDULED"
	ReminderSent      ReminderState = "SENT"
	ReminderSkipped   ReminderState = "SKIPPED"
)

// Reminder are the reminders of a booking's start, of which one at a time is to
// come.
type Reminder struct {
	// Leads are those that the booking was made with, longest first.
	Leads Leads
	// DueTime is that of the next one to come, or of the last one.
	DueTime time.Time
	// State is SCHEDULED while one is to come, then SENT or SKIPPED as the last one
	// was.
	State ReminderState
	// JobID is the queue's id of the job that will send the next one; nil where
	// there never was one.
	JobID *int64
}

// newReminder begins with the first lead that has not passed: where all have, with
// the shortest, at once. It is skipped where the start itself has come.
func newReminder(leads Leads, start, now time.Time) Reminder {
	r := Reminder{Leads: leads.longestFirst(), DueTime: dueTime(start, leads.last()), State: ReminderScheduled}
	if !start.After(now) {
		r.State = ReminderSkipped
		return r
	}
	for _, lead := range r.Leads {
		if due := dueTime(start, lead); !due.Before(now) {
			r.DueTime = due
			break
		}
	}
	return r
}

// skipped are the reminders of a start once none can come any more.
func (r Reminder) skipped(start time.Time) Reminder {
	if r.State == ReminderScheduled {
		r.DueTime, r.State = dueTime(start, r.Leads.last()), ReminderSkipped
	}
	return r
}

// after are the reminders of a start once that of a lead has gone out: the next
// shorter lead's is to come, where there is one.
func (r Reminder) after(lead time.Duration, start time.Time) Reminder {
	for _, next := range r.Leads {
		if next < lead {
			return Reminder{Leads: r.Leads, DueTime: dueTime(start, next), State: ReminderScheduled}
		}
	}
	r.DueTime, r.State = dueTime(start, lead), ReminderSent
	return r
}

// Lead is how long before the start the next reminder is due, or the last one was.
func (b Booking) Lead() time.Duration { return b.Slot.Start.Sub(b.Reminder.DueTime) }

// Remind is the booking after the job of its next reminder has run, and the event
// that reminds; no event where nobody is reminded now. The booking is unchanged
// where that reminder went out or was skipped before, or where the job is not of the
// present slot and lead: moves is how often the booking had been moved when the job
// was made. sent are the leads for which this very start was reminded of already,
// before the booking moved away and back; once is enough.
//
// A job may run late, when nobody worked for a while. Of several leads that are
// overdue then, the shortest is reminded of and the longer ones are skipped.
func (b Booking) Remind(moves int32, lead time.Duration, sent Leads, now time.Time) (Booking, *Event) {
	if b.Moves != moves || b.Lead() != lead || b.Reminder.State != ReminderScheduled {
		return b, nil
	}
	if !b.Status.Active() || b.Started(now) {
		b.Reminder = b.Reminder.skipped(b.Slot.Start)
		if slices.Contains(sent, b.Lead()) {
			b.Reminder.State = ReminderSent
		}
		return b, nil
	}
	for _, shorter := range b.Reminder.Leads {
		if shorter < lead && !dueTime(b.Slot.Start, shorter).After(now) {
			lead = shorter
		}
	}
	b.Reminder = b.Reminder.after(lead, b.Slot.Start)
	if slices.Contains(sent, lead) {
		return b, nil
	}
	event := reminderDue(b, lead, now)
	return b, &event
}
