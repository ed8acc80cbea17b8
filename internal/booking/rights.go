package booking

import "time"

// AllowedActions are what the actor may do with the booking at the time now.
// For internal services it is what the status allows.
func (b Booking) AllowedActions(by Actor, now time.Time) []Action {
	var allowed []Action
	for _, t := range offered {
		found := t.obstacle(b, by, now)
		open := found == noObstacle || by.Role == RoleInternal && found != wrongStatus
		if open && t.authorize(by) == nil {
			allowed = append(allowed, t.action)
		}
	}
	return allowed
}
