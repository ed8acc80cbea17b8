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

// transition is one line of a booking's life: who may take an action, when, and
// where it leads.
type transition struct {
	action Action
	// event is the type of the event that reports it.
	event EventType
	// from are the statuses in which the action may be taken.
	from []Status
	// to is the status afterwards; empty where the action is about something
	// else (a move). A booking that is there already needs no change.
	to Status
	// started tells that the booking must have started.
	started bool
	// counted tells that it is done at most MaxMoves times.
	counted bool
	// customer tells whether customers may; providers and internal services
	// may take every action.
	customer bool
}

// transitions are what callers can do with a booking once it is made. What they
// may do, what they are told that they may do, and what is done all read this
// table, so that the three cannot disagree. What only one of them has (a move's
// slot, a cancellation's reason) is in Change.
var transitions = []transition{
	{action: ActionConfirm, event: EventConfirmed, from: []Status{StatusPending}, to: StatusConfirmed},
	{action: ActionReschedule, event: EventRescheduled, from: active, counted: true, customer: true},
	{action: ActionCancel, event: EventCancelled, from: active, to: StatusCancelled, customer: true},
	{action: ActionComplete, event: EventCompleted, from: []Status{StatusConfirmed}, to: StatusCompleted, started: true},
	{action: ActionMarkNoShow, event: EventNoShow, from: []Status{StatusConfirmed}, to: StatusNoShow, started: true},
}

func transitionOf(action Action) transition {
	for _, t := range transitions {
		if t.action == action {
			return t
		}
	}
	panic("booking: no transition for " + string(action))
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
	case by.Role == RoleCustomer && b.Started(now):
		return Errorf(ReasonInvalidTransition, "the booking has started already")
	}
	return nil
}
