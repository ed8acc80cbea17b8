package booking

import (
	"slices"
	"time"
)

// Action is something that can be done with a booking.
type Action string

// The actions, in the order in which they are shown.
const (
	ActionConfirm    Action = "CONFIRM"
	ActionReschedule Action = "RESCHEDULE"
	ActionCancel     Action = "CANCEL"
	ActionComplete   Action = "COMPLETE"
	ActionMarkNoShow Action = "MARK_NO_SHOW"
)

// transition is one line of a booking's life: who may take an action, and when.
// Where it leads is its effect's (see Change).
type transition struct {
	action Action
	// event is the type of the event that reports it.
	event EventType
	// from are the statuses in which the action may be taken.
	from []Status
	// started tells that the booking must have started.
	started bool
	// counted tells that it is done at most MaxMoves times.
	counted bool
	// customer tells whether customers may; providers and internal services
	// may take every action.
	customer bool
	// late tells that customers may also once the booking has started.
	late bool
}

// What callers can do with a booking once it is made. What they may do, what they
// are told that they may do, and what is done all read these, so that the three
// cannot disagree.
var (
	confirmation = transition{action: ActionConfirm, event: EventConfirmed, from: []Status{StatusPending}}
	rescheduling = transition{action: ActionReschedule, event: EventRescheduled, from: active, counted: true, customer: true}
	cancellation = transition{action: ActionCancel, event: EventCancelled, from: active, customer: true}
	completion   = transition{action: ActionComplete, event: EventCompleted, from: []Status{StatusConfirmed}, started: true}
	noShow       = transition{action: ActionMarkNoShow, event: EventNoShow, from: []Status{StatusConfirmed}, started: true}
)

// rewriting leads nowhere, and is open to whoever sees a booking at any time: it
// is no action that has to be offered.
var rewriting = transition{event: EventUpdated, from: every, customer: true, late: true}

// offered are those that are shown as actions, in their order.
var offered = []transition{confirmation, rescheduling, cancellation, completion, noShow}

var errNotForCustomers = Errorf(ReasonNotAllowed, "customers may not do this")

func (t transition) authorize(by Actor) error {
	if by.Role == RoleCustomer && !t.customer {
		return errNotForCustomers
	}
	return nil
}

// check asks whether the booking allows the action at the time now. The order is
// part of the contract: see Change.Apply.
func (t transition) check(b Booking, by Actor, now time.Time) error {
	if err := t.checkStatus(b); err != nil {
		return err
	}
	if err := t.checkTime(b, by, now); err != nil {
		return err
	}
	return t.checkMoves(b)
}

func (t transition) checkStatus(b Booking) error {
	if slices.Contains(t.from, b.Status) {
		return nil
	}
	return Errorf(ReasonInvalidTransition, "a booking that is %s does not allow this", b.Status)
}

// MaxMoves is how often a booking may be moved, by whomever: each move is an
// event, and histories and feeds are not to be filled for nothing.
const MaxMoves = 100

func (t transition) checkMoves(b Booking) error {
	if t.counted && b.Moves >= MaxMoves {
		return Errorf(ReasonTooManyMoves, "the booking has been moved %d times: cancel it and book anew", b.Moves)
	}
	return nil
}

func (t transition) checkTime(b Booking, by Actor, now time.Time) error {
	switch {
	case t.started && !b.Started(now):
		return Errorf(ReasonInvalidTransition, "the booking has not started yet")
	case by.Role == RoleCustomer && !t.late && b.Started(now):
		return Errorf(ReasonInvalidTransition, "the booking has started already")
	}
	return nil
}
