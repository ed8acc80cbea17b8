package booking

import "time"

// ReminderState is whether a reminder is still to come.
type ReminderState string

// The states of a reminder.
const (
	ReminderScheduled ReminderState = "SCHEDULED"
	ReminderSent      ReminderState = "SENT"
	ReminderSkipped   ReminderState = "SKIPPED"
)

// Reminder is the reminder of a booking's start.
type Reminder struct {
	DueTime time.Time
	State   ReminderState
	// JobID is the queue's id of the job that will send it; nil where there
	// never was one.
	JobID *int64
}

// newReminder is the reminder of a start: due by lead before it, or at once
// where that has passed; skipped where the start itself has.
func newReminder(start, now time.Time, lead time.Duration) Reminder {
	reminder := Reminder{DueTime: Microseconds(start.Add(-lead)), State: ReminderScheduled}
	if reminder.DueTime.Year() < 1 {
		reminder.DueTime = start // before the first year that a timestamp can spell
	}
	if !start.After(now) {
		reminder.State = ReminderSkipped
	}
	return reminder
}

// skipped is the reminder once it cannot come any more.
func (r Reminder) skipped() Reminder {
	if r.State == ReminderScheduled {
		r.State = ReminderSkipped
	}
	return r
}

// Remind is the booking after the job of its reminder has run, and the event
// that reminds; no event where nobody is reminded now. The booking is unchanged
// where its reminder went out or was skipped before, or where the job is not the
// present slot's: moves is how often the booking had been moved when the job was
// made. alreadySent tells that this very start was reminded of before the
// booking moved away and back; once is enough.
func (b Booking) Remind(moves int32, alreadySent bool, now time.Time) (Booking, *Event) {
	switch {
	case b.Moves != moves, b.Reminder.State != ReminderScheduled:
		return b, nil
	case alreadySent:
		b.Reminder.State = ReminderSent
		return b, nil
	case !b.Status.Active(), b.Started(now):
		b.Reminder.State = ReminderSkipped
		return b, nil
	}
	b.Reminder.State = ReminderSent
	event := reminderDue(b, now)
	return b, &event
}
