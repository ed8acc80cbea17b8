package booking

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// What leads may be.
const (
	// MaxLeads is how many reminders a start may have.
	MaxLeads = 5
	// MaxLead is how long before the start a reminder may be due.
	MaxLead = 30 * 24 * time.Hour
)

// Leads are how long before a booking's start its reminders are due: at most
// MaxLeads, each of whole seconds from 0 to MaxLead, no two alike.
type Leads []time.Duration

// LeadsOf are the leads of so many seconds.
func LeadsOf(seconds []int32) Leads {
	leads := make(Leads, 0, len(seconds))
	for _, n := range seconds {
		leads = append(leads, time.Duration(n)*time.Second)
	}
	return leads
}

// Seconds are the leads in whole seconds, in the same order.
func (l Leads) Seconds() []int32 {
	seconds := make([]int32, 0, len(l))
	for _, lead := range l {
		seconds = append(seconds, int32(lead/time.Second))
	}
	return seconds
}

// longestFirst are the leads in the order in which their reminders come.
func (l Leads) longestFirst() Leads {
	return slices.SortedFunc(slices.Values(l), func(a, b time.Duration) int { return cmp.Compare(b, a) })
}

// last is the lead whose reminder comes last: the shortest.
func (l Leads) last() time.Duration { return slices.Min(l) }

// parts are the leads as Fingerprint takes them (see Details.parts).
func (l Leads) parts() []string {
	if len(l) == 0 {
		return nil
	}
	parts := []string{"reminder_lead_seconds", strconv.Itoa(len(l))}
	for _, lead := range l {
		parts = append(parts, strconv.Itoa(int(lead/time.Second)))
	}
	return parts
}

// dueTime is when the reminder of a start is due, at a whole microsecond, and not
// before the first year that a timestamp can spell.
func dueTime(start time.Time, lead time.Duration) time.Time {
	if due := Microseconds(start.Add(-lead)); due.Year() >= 1 {
		return due
	}
	return start
}
