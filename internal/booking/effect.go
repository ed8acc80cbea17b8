package booking

import "time"

// effect is what one sort of change does to a booking.
type effect interface {
	// done reports whether the booking is already as the change would make it.
	done(b Booking) bool
	// check asks what only this change asks for, once its transition is allowed.
	check(by Actor, now time.Time) error
	// apply is the booking after the change.
	apply(b Booking, by Actor, now time.Time) Booking
	// explain adds to an event's data what only this change tells.
	explain(data *EventData, before Booking, by Actor)
}

// plain is an effect that asks for nothing and has nothing to explain.
type plain struct{}

func (plain) check(Actor, time.Time) error { return nil }

func (plain) explain(*EventData, Booking, Actor) {}

// enter is the effect of reaching a status.
type enter struct {
	plain

	status Status
}

func (e enter) done(b Booking) bool { return b.Status == e.status }

func (e enter) apply(b Booking, _ Actor, _ time.Time) Booking {
	b.Status = e.status
	b.Expiry = nil
	if !b.Status.Active() {
		b.Reminder = b.Reminder.skipped(b.Slot.Start)
	}
	return b
}

// cancel reaches StatusCancelled and says why.
type cancel struct {
	enter

	reason string
}

func (c cancel) apply(b Booking, by Actor, now time.Time) Booking {
	b = c.enter.apply(b, by, now)
	b.Cancellation = &Cancellation{Reason: c.reason, By: by.Role, Time: now}
	return b
}

// explain tells a reason also where it is empty, so that readers need not ask
// whether it is there.
func (c cancel) explain(data *EventData, _ Booking, by Actor) {
	data.Reason, data.CancelledBy = &c.reason, roleName(by.Role)
}

// rewrite is the effect of new details.
type rewrite struct {
	plain

	patch Patch
}

func (r rewrite) done(b Booking) bool { return r.patch.apply(b.Details).equal(b.Details) }

func (r rewrite) apply(b Booking, _ Actor, _ time.Time) Booking {
	b.Details = r.patch.apply(b.Details)
	return b
}

// move is the effect of a new slot.
type move struct {
	to         Slot
	pendingTTL time.Duration
}

func (m move) done(b Booking) bool { return b.Status.Active() && b.Slot.Equal(m.to) }

func (m move) check(by Actor, now time.Time) error { return m.to.CheckStart(by, now) }

// apply asks the provider anew where the customer moves.
func (m move) apply(b Booking, by Actor, now time.Time) Booking {
	b.Slot = m.to
	b.Moves++
	b.Reminder = newReminder(b.Reminder.Leads, m.to.Start, now)
	if by.Role == RoleCustomer {
		b.Status = StatusPending
	}
	b.Expiry = b.expiry(m.pendingTTL, now)
	return b
}

func (move) explain(data *EventData, before Booking, _ Actor) {
	data.PreviousStartTime, data.PreviousEndTime = timeName(before.Slot.Start), timeName(before.Slot.End)
}
