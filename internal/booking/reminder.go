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

// Remind is what becomes of a booking's reminder when its job for the given
// number of moves runs: sent, skipped, or ("", false) where the job is not the
// one of the present slot or the reminder is settled already. The second result
// says whether the reminder goes out now: alreadySent means that one was sent
// for this very start before the booking moved away and back.
func (b Booking) Remind(moves int32, alreadySent bool, now time.Time) (state ReminderState, send bool) {
	switch {
	case b.Moves != moves, b.Reminder.State != ReminderScheduled:
		return "", false
	case alreadySent:
		return ReminderSent, false
	case !b.Status.Active(), b.Started(now):
		return ReminderSkipped, false
	default:
		return ReminderSent, true
	}
}
