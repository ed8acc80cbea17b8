package booking

import (
	"strconv"
	"time"

	"github.com/google/uuid"
)

// Booking is one customer's appointment with one provider.
type Booking struct {
	ID         uuid.UUID
	ProviderID string
	CustomerID string
	Slot       Slot
	Status     Status
	Details
	// Cancellation is nil unless the status is StatusCancelled.
	Cancellation *Cancellation
	Reminder     Reminder
	// Expiry is nil where the booking does not expire: always unless the status is
	// StatusPending.
	Expiry *Expiry
	// Version moves with each change that a caller makes; the etag shows it.
	Version int64
	// Moves is how often the booking has been moved. With the id it names the
	// reminder of the present slot.
	Moves      int32
	CreateTime time.Time
	UpdateTime time.Time
}

// Cancellation is how a booking was cancelled.
type Cancellation struct {
	// Reason has at most 1,000 characters; it may be empty.
	Reason string
	By     Role
	Time   time.Time
}

// Etag is the booking's version as a weak entity tag (RFC 9110, section 8.8.3).
func (b Booking) Etag() string { return `W/"` + strconv.FormatInt(b.Version, 10) + `"` }

// Started reports whether the booking's start has come.
func (b Booking) Started(now time.Time) bool { return !now.Before(b.Slot.Start) }
