package booking

import (
	"time"

	"github.com/google/uuid"
)

// Request is what somebody asks to be booked.
type Request struct {
	// ProviderID and CustomerID are the parties. An empty one means the
	// caller, on the caller's own side.
	ProviderID string
	CustomerID string
	Slot       Slot
	Details
	// Leads are how long before the start to remind; empty for those of the
	// setting.
	Leads Leads
	// IdempotencyKey makes a retry safe: the provider's bookings have it once.
	// 1 to 255 characters; empty for none.
	IdempotencyKey string
	// ValidateOnly checks everything and books nothing.
	ValidateOnly bool
}

// Resolve is the request in full: its slot checked (see NewSlot), the caller's
// own side filled in, and no key on a trial, which neither takes nor replays
// one. It fails with NOT_ALLOWED for a request in somebody else's name, and with
// VALIDATION_FAILED where the slot has a wrong shape, a party is missing or both
// are the same user.
func (r Request) Resolve(by Actor) (Request, error) {
	var err error
	if r.Slot, err = NewSlot(r.Slot.Start, r.Slot.End); err != nil {
		return r, err
	}
	r.ProviderID, r.CustomerID, err = by.Parties(r.ProviderID, r.CustomerID)
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
	if r.ValidateOnly {
		r.IdempotencyKey = ""
	}
	return r, nil
}

// Terms are what an installation sets for all bookings that are made or moved.
type Terms struct {
	// Leads are how long before its start a booking is reminded of that names no
	// leads of its own. At least one.
	Leads Leads
	// PendingTTL is how long after it became PENDING a booking expires that nobody
	// answers; 0: never.
	PendingTTL time.Duration
}

// New is the booking that a resolved request asks for, and its first event. It
// starts PENDING when the customer asks, else CONFIRMED. terms are those of
// the installation. It fails as Slot.CheckStart does.
func New(id uuid.UUID, by Actor, r Request, now time.Time, terms Terms) (Booking, Event, error) {
	if err := r.Slot.CheckStart(by, now); err != nil {
		return Booking{}, Event{}, err
	}
	leads := r.Leads
	if len(leads) == 0 {
		leads = terms.Leads
	}
	b := Booking{
		ID:           id,
		ProviderID:   r.ProviderID,
		CustomerID:   r.CustomerID,
		Slot:         r.Slot,
		Status:       StatusConfirmed,
		Details:      r.Details,
		Cancellation: nil,
		Reminder:     newReminder(leads, r.Slot.Start, now),
		Expiry:       nil,
		Version:      1,
		Moves:        0,
		CreateTime:   now,
		UpdateTime:   now,
	}
	if by.Role == RoleCustomer {
		b.Status = StatusPending
	}
	b.Expiry = b.expiry(terms.PendingTTL, now)
	return b, newEvent(EventCreated, b, by, now), nil
}
