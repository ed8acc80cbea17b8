package booking

import "time"

// MaxClosing is the longest time that is called off at once.
const MaxClosing = 31 * 24 * time.Hour

// Closing is a time in which a provider does not work after all: what starts in
// [From, To) is called off.
type Closing struct {
	// ProviderID is whose bookings; empty for the caller's own.
	ProviderID string
	From, To   time.Time
	// Reason is that of each cancellation: at most 1,000 characters, may be empty.
	Reason string
}

// Resolve is the closing in full, with the provider filled in. It fails with
// VALIDATION_FAILED where the time is turned round or too long, or where an
// internal service names no provider, and with NOT_ALLOWED for customers and for
// another provider.
func (c Closing) Resolve(by Actor) (Closing, error) {
	c.From, c.To = Microseconds(c.From), Microseconds(c.To)
	switch {
	case !c.To.After(c.From):
		return c, Invalid("start_time_to", "must be after start_time_from")
	case c.To.Sub(c.From) > MaxClosing:
		return c, Invalid("start_time_to", "must be at most %d days after start_time_from", MaxClosing/(24*time.Hour))
	case by.Role == RoleCustomer:
		return c, errNotForCustomers
	}
	var err error
	c.ProviderID, _, err = by.Parties(c.ProviderID, "")
	if err == nil && c.ProviderID == "" {
		err = Invalid("provider_id", "is required")
	}
	return c, err
}

// Cancel is the change to make to each booking: it leaves alone what does not start
// in the time any more, or is over.
func (c Closing) Cancel() Change {
	return Change{cancellation, callOff{cancel: cancel{enter: enter{status: StatusCancelled}, reason: c.Reason}, closing: c}}
}

// callOff cancels what a closing is about.
type callOff struct {
	cancel

	closing Closing
}

func (c callOff) done(b Booking) bool { return !b.Status.Active() || !c.closing.covers(b.Slot.Start) }

func (c Closing) covers(start time.Time) bool { return !start.Before(c.From) && start.Before(c.To) }
