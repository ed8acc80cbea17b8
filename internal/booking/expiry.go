package booking

import "time"

// ReasonExpired is the reason of a cancellation by System.
const ReasonExpired = "expired"

// Expiry is when a PENDING booking is cancelled, unless somebody answers before.
type Expiry struct {
	Time time.Time
	// JobID is the queue's id of the job that will see to it.
	JobID int64
}

// expiry of a booking that becomes PENDING now: so long after it, at the start at
// the latest. None where pendingTTL is 0, and none for a start that has come, which
// only a provider can have moved it to.
func (b Booking) expiry(pendingTTL time.Duration, now time.Time) *Expiry {
	if pendingTTL == 0 || b.Status != StatusPending || b.Started(now) {
		return nil
	}
	expiry := Expiry{Time: Microseconds(now.Add(pendingTTL))}
	if b.Slot.Start.Before(expiry.Time) {
		expiry.Time = b.Slot.Start
	}
	return &expiry
}

// Expire is the booking after the job of its expiry has run, and the event that
// reports it: cancelled by System, or unchanged and without an event where somebody
// has answered, or moved it, since the job was made. moves is how often it had been
// moved then.
func (b Booking) Expire(moves int32, now time.Time) (Booking, *Event, error) {
	if b.Moves != moves || b.Status != StatusPending || b.Expiry == nil {
		return b, nil, nil
	}
	return Cancel(ReasonExpired).Apply(b, System, "", now)
}
