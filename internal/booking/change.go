package booking

import "time"

// Change is one thing to do with a booking: a value made by Confirm,
// Reschedule, Cancel, Complete, MarkNoShow or Update, and applied by Apply. Its
// transition says who may make it and when, its effect what it does.
type Change struct {
	transition transition
	effect     effect
}

// Confirm agrees to a PENDING booking.
func Confirm() Change { return Change{confirmation, enter{status: StatusConfirmed}} }

// Complete records that a booking took place.
func Complete() Change { return Change{completion, enter{status: StatusCompleted}} }

// MarkNoShow records that the customer did not come.
func MarkNoShow() Change { return Change{noShow, enter{status: StatusNoShow}} }

// Cancel calls a booking off, with a reason that may be empty.
func Cancel(reason string) Change {
	return Change{cancellation, cancel{enter: enter{status: StatusCancelled}, reason: reason}}
}

// Reschedule moves a booking in place. Moved by its customer it is PENDING
// again. Its reminders come by the leads that it has. Where it is PENDING then, by
// whomever it was moved, it waits for an answer anew: pendingTTL is how long.
func Reschedule(to Slot, pendingTTL time.Duration) Change {
	return Change{rescheduling, move{to: to, pendingTTL: pendingTTL}}
}

// Update changes what the parties have written into a booking.
func Update(patch Patch) Change { return Change{rewriting, rewrite{patch: patch}} }

// Authorize fails with NOT_ALLOWED where the actor's role never allows the
// change, whatever the booking. It needs no booking, so that it can be asked
// before any is read: an answer must not tell whether one exists.
func (c Change) Authorize(by Actor) error { return c.transition.authorize(by) }

// Apply is the booking after the change and the event that reports it. Where
// there is nothing left to do, it is the booking unchanged and no event,
// whatever the etag. An empty etag matches any version. It fails with
// ETAG_MISMATCH, INVALID_TRANSITION or TOO_MANY_MOVES, or as Slot.CheckStart does.
//
// The order of the checks is part of the contract. What is done already comes
// first: a caller who tries again, not having seen the first answer, has an old
// etag and must not be refused for it.
func (c Change) Apply(b Booking, by Actor, etag string, now time.Time) (Booking, *Event, error) {
	if c.effect.done(b) {
		return b, nil, nil
	}
	if etag != "" && etag != b.Etag() {
		return b, nil, Errorf(ReasonEtagMismatch, "the booking has changed: its etag is no longer the one given")
	}
	if err := c.check(b, by, now); err != nil {
		return b, nil, err
	}
	after := c.effect.apply(b, by, now)
	after.Version++
	after.UpdateTime = now
	event := newEvent(c.transition.event, after, by, now)
	c.effect.explain(&event.Data, b, by)
	return after, &event, nil
}

func (c Change) check(b Booking, by Actor, now time.Time) error {
	if err := c.transition.check(b, by, now); err != nil {
		return err
	}
	return c.effect.check(by, now)
}
