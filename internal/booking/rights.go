package booking

import "time"

// Authorize fails with NOT_ALLOWED where the actor's role never allows the
// action, whatever the booking. It needs no booking, so that it can be asked
// before any is read: an answer must not tell whether one exists.
func Authorize(by Actor, action Action) error {
	if by.Role == RoleCustomer && !transitionOf(action).customer {
		return Errorf(ReasonNotAllowed, "customers may not do this")
	}
	return nil
}

// AllowedActions are what the actor may do with the booking at the time now.
// For internal services it is what the status allows.
func (b Booking) AllowedActions(by Actor, now time.Time) []Action {
	var allowed []Action
	for _, t := range transitions {
		if Authorize(by, t.action) != nil || t.checkStatus(b) != nil {
			continue
		}
		if by.Role == RoleInternal || t.checkTime(b, by, now) == nil && t.checkMoves(b) == nil {
			allowed = append(allowed, t.action)
		}
	}
	return allowed
}
