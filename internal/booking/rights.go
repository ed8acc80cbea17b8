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

// rule is who may take an action, and when.
type rule struct {
	action Action
	// customer tells whether customers may; providers and internal services
	// may take every action.
	customer bool
	from     []Status
	// started tells that the booking must have started.
	started bool
}

var rules = []rule{
	{action: ActionConfirm, from: []Status{StatusPending}},
	{action: ActionReschedule, customer: true, from: []Status{StatusPending, StatusConfirmed}},
	{action: ActionCancel, customer: true, from: []Status{StatusPending, StatusConfirmed}},
	{action: ActionComplete, from: []Status{StatusConfirmed}, started: true},
	{action: ActionMarkNoShow, from: []Status{StatusConfirmed}, started: true},
}

func ruleFor(action Action) rule {
	for _, r := range rules {
		if r.action == action {
			return r
		}
	}
	panic("booking: no rule for " + string(action))
}

// Authorize fails with NOT_ALLOWED where the actor's role never allows the
// action, whatever the booking.
func Authorize(by Actor, action Action) error {
	if by.Role == RoleCustomer && !ruleFor(action).customer {
		return Errorf(ReasonNotAllowed, "customers may not do this")
	}
	return nil
}

// AllowedActions are what the actor may do with the booking at the time now.
// For internal services it is what the status allows.
func (b Booking) AllowedActions(by Actor, now time.Time) []Action {
	var allowed []Action
	for _, r := range rules {
		if Authorize(by, r.action) != nil || r.checkStatus(b) != nil {
			continue
		}
		if by.Role == RoleInternal || r.checkTime(b, by, now) == nil {
			allowed = append(allowed, r.action)
		}
	}
	return allowed
}

func (r rule) checkStatus(b Booking) error {
	if slices.Contains(r.from, b.Status) {
		return nil
	}
	return Errorf(ReasonInvalidTransition, "a booking that is %s does not allow this", b.Status)
}

func (r rule) checkTime(b Booking, by Actor, now time.Time) error {
	switch {
	case r.started && !b.Started(now):
		return Errorf(ReasonInvalidTransition, "the booking has not started yet")
	case by.Role == RoleCustomer && b.Started(now):
		return Errorf(ReasonInvalidTransition, "the booking has started already")
	}
	return nil
}
