package booking

import "time"

// AllowedActions are what the actor may do with the booking at the time now.
// For internal services it is what the status allows.
func (b Booking) AllowedActions(by Actor, now time.Time) []Action {
	var allowed []Action
	for _, t := range offered {
		if t.authorize(by) != nil || t.checkStatus(b) != nil {
			continue
		}
		if by.Role == RoleInternal || t.check(b, by, now) == nil {
			allowed = append(allowed, t.action)
		}
	}
	return allowed
}
