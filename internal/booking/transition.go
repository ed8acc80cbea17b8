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

// check asks whether the booking allows the action at the time now.
func (t transition) check(b Booking, by Actor, now time.Time) error {
	return t.obstacle(b, by, now).explain(b)
}

// obstacle is why a booking does not allow an action.
type obstacle int

const (
	noObstacle obstacle = iota
	wrongStatus
	notStarted
	startedAlready
	movedTooOften
)

// obstacle is the first there is. The order is part of the contract: see
// Change.Apply.
func (t transition) obstacle(b Booking, by Actor, now time.Time) obstacle {
	switch {
	case !slices.Contains(t.from, b.Status):
		return wrongStatus
	case t.started && !b.Started(now):
		return notStarted
	case by.Role == RoleCustomer && !t.late && b.Started(now):
		return startedAlready
	case t.counted && b.Moves >= MaxMoves:
		return movedTooOften
	default:
		return noObstacle
	}
}

// MaxMoves is how often a booking may be moved, by whomever: each move is an
// event, and histories and feeds are not to be filled for nothing.
const MaxMoves = 100

// explain says it to a caller. What is shown of each booking of a list only asks
// whether there is one.
func (o obstacle) explain(b Booking) error {
	switch o {
	case wrongStatus:
		return Errorf(ReasonInvalidTransition, "a booking that is %s does not allow this", b.Status)
	case notStarted:
		return Errorf(ReasonInvalidTransition, "the booking has not started yet")
	case startedAlready:
		return Errorf(ReasonInvalidTransition, "the booking has started already")
	case movedTooOften:
		return Errorf(ReasonTooManyMoves, "the booking has been moved %d times: cancel it and book anew", b.Moves)
	default:
		return nil
	}
}
