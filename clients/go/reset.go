package bookings

import "fmt"

// ResetError says that the feed cannot go on where it was: what follows is pruned, or
// the feed has another history, as after a restore from an older copy. Events may be
// missing. List your bookings, then let the loop go on: it does so after Head. To leave
// the loop keeps the place, and the next one is told the same.
type ResetError struct {
	Lost Place // where it was
	Head Place // the feed's newest entry, known before you list
	Err  error // what the server said
}

// Error says both.
func (e *ResetError) Error() string {
	return fmt.Sprintf("events after %v may be missing: %v", e.Lost, e.Err)
}

// Unwrap returns what the server said.
func (e *ResetError) Unwrap() error { return e.Err }
