package booking

import "slices"

// Status is where a booking is in its life.
type Status string

// The statuses.
const (
	StatusPending   Status = "PENDING"
	StatusConfirmed Status = "CONFIRMED"
	StatusCancelled Status = "CANCELLED"
	StatusCompleted Status = "COMPLETED"
	StatusNoShow    Status = "NO_SHOW"
)

// active are the statuses in which a booking is still to take place.
var active = []Status{StatusPending, StatusConfirmed}

// every is all statuses.
var every = []Status{StatusPending, StatusConfirmed, StatusCancelled, StatusCompleted, StatusNoShow}

// Active reports whether a booking in this status blocks its slot for others
// and can still be reminded of.
func (s Status) Active() bool { return slices.Contains(active, s) }
