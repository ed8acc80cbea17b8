package booking

// Status is where a booking is in its life.
type Status string

// The statuses. Only the first two hold their slot.
const (
	StatusPending   Status = "PENDING"
	StatusConfirmed Status = "CONFIRMED"
	StatusCancelled Status = "CANCELLED"
	StatusCompleted Status = "COMPLETED"
	StatusNoShow    Status = "NO_SHOW"
)

// Active reports whether a booking in this status holds its slot and can still
// be reminded of.
func (s Status) Active() bool { return s == StatusPending || s == StatusConfirmed }
