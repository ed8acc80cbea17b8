package booking

import (
	"time"

	"github.com/google/uuid"
)

// Request is what somebody asks to be booked. An empty party means the caller,
// on the caller's own side.
type Request struct {
	ProviderID string
	CustomerID string
	Slot       Slot
	Note       string
}

// Resolve fills in the caller's own side and checks both parties. It fails with
// NOT_ALLOWED for a request in somebody else's name, and with VALIDATION_FAILED
// where a party is missing or both are the same user.
func (r Request) Resolve(by Actor) (Request, error) {
	var err error
	r.ProviderID, r.CustomerID, err = by.Own(r.ProviderID, r.CustomerID)
	switch {
	case err != nil:
		return r, err
	case r.ProviderID == "":
		return r, Invalid("provider_id", "is required")
	case r.CustomerID == "":
		return r, Invalid("customer_id", "is required")
	case r.ProviderID == r.CustomerID:
		return r, Invalid("customer_id", "must not be the provider")
	}
	return r, nil
}

// New is the booking that a resolved request asks for, and its first event. It
// starts PENDING when the customer asks, else CONFIRMED. lead is how long before
// the start its reminder is due. It fails as Slot.CheckStart does.
func New(id uuid.UUID, by Actor, r Request, now time.Time, lead time.Duration) (Booking, Event, error) {
	if err := r.Slot.CheckStart(by, now); err != nil {
		return Booking{}, Event{}, err
	}
	b := Booking{
		ID:         id,
		ProviderID: r.ProviderID,
		CustomerID: r.CustomerID,
		Slot:       r.Slot,
		Status:     StatusConfirmed,
		Note:       r.Note,
		Reminder:   newReminder(r.Slot.Start, now, lead),
		Version:    1,
		CreateTime: now,
		UpdateTime: now,
	}
	if by.Role == RoleCustomer {
		b.Status = StatusPending
	}
	return b, newEvent(EventCreated, b, by, now), nil
}
