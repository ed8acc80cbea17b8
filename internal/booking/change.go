package booking

import "time"

// Change is one thing to do with a booking: a value made by Confirm,
// Reschedule, Cancel, Complete or MarkNoShow, and applied by Apply. When it may
// be done is in the table of transitions.
type Change struct {
	Action Action
	// reason is that of a cancellation.
	reason string
	// slot is where a move goes, lead how long before its start the new
	// reminder is due.
	slot Slot
	lead time.Duration
}

// Confirm agrees to a PENDING booking.
func Confirm() Change { return Change{Action: ActionConfirm} }

// Complete records that a booking took place.
func Complete() Change { return Change{Action: ActionComplete} }

// MarkNoShow records that the customer did not come.
func MarkNoShow() Change { return Change{Action: ActionMarkNoShow} }

// Cancel calls a booking off, with a reason that may be empty.
func Cancel(reason string) Change { return Change{Action: ActionCancel, reason: reason} }

// Reschedule moves a booking in place. Moved by its customer it is PENDING
// again. lead is how long before the new start the new reminder is due.
func Reschedule(to Slot, lead time.Duration) Change {
	return Change{Action: ActionReschedule, slot: to, lead: lead}
}

// Apply is the booking after the change and the event that reports it. Where
// there is nothing left to do, it is the booking unchanged and no event,
// whatever the etag. An empty etag matches any version. It fails with
// ETAG_MISMATCH, INVALID_TRANSITION or TOO_MANY_MOVES, or as Slot.CheckStart does.
//
// The order of the checks is part of the contract. What is done already comes
// first: a caller who tries again, not having seen the first answer, has an old
// etag and must not be refused for it.
func (c Change) Apply(b Booking, by Actor, etag string, now time.Time) (Booking, *Event, error) {
	t := transitionOf(c.Action)
	if c.done(t, b) {
		return b, nil, nil
	}
	if etag != "" && etag != b.Etag() {
		return b, nil, Errorf(ReasonEtagMismatch, "the booking has changed: its etag is no longer the one given")
	}
	if err := c.check(t, b, by, now); err != nil {
		return b, nil, err
	}
	after := c.result(t, b, by, now)
	event := newEvent(t.event, after, by, now)
	c.explain(&event.Data, b, by)
	return after, &event, nil
}

// done reports whether the booking is already as the change would make it.
func (c Change) done(t transition, b Booking) bool {
	if c.Action == ActionReschedule {
		return b.Status.Active() && b.Slot.Equal(c.slot)
	}
	return b.Status == t.to
}

func (c Change) check(t transition, b Booking, by Actor, now time.Time) error {
	if err := t.checkStatus(b); err != nil {
		return err
	}
	if err := t.checkTime(b, by, now); err != nil {
		return err
	}
	if err := t.checkMoves(b); err != nil {
		return err
	}
	if c.Action == ActionReschedule {
		return c.slot.CheckStart(by, now)
	}
	return nil
}

// result is the booking after the change.
func (c Change) result(t transition, b Booking, by Actor, now time.Time) Booking {
	b.Version++
	b.UpdateTime = now
	if c.Action == ActionReschedule {
		return b.moved(c.slot, by, now, c.lead)
	}
	b.Status = t.to
	if !b.Status.Active() {
		b.Reminder = b.Reminder.skipped()
	}
	if c.Action == ActionCancel {
		b.Cancellation = &Cancellation{Reason: c.reason, By: by.Role, Time: now}
	}
	return b
}

// explain adds to an event's data what only this change tells. A reason is told
// also where it is empty, so that readers need not ask whether it is there.
func (c Change) explain(data *EventData, before Booking, by Actor) {
	switch c.Action {
	case ActionReschedule:
		data.PreviousStartTime, data.PreviousEndTime = timeName(before.Slot.Start), timeName(before.Slot.End)
	case ActionCancel:
		data.Reason, data.CancelledBy = &c.reason, roleName(by.Role)
	default:
	}
}

// moved is the booking in another slot. A customer's move asks the provider
// anew.
func (b Booking) moved(to Slot, by Actor, now time.Time, lead time.Duration) Booking {
	b.Slot = to
	b.Moves++
	b.Reminder = newReminder(to.Start, now, lead)
	if by.Role == RoleCustomer {
		b.Status = StatusPending
	}
	return b
}
