package booking

import "time"

// What a slot may be.
const (
	// MaxSlotLength is that of a local day on which summer time ends.
	MaxSlotLength = 25 * time.Hour
	// MaxYearsAhead is how far ahead a slot may start.
	MaxYearsAhead = 2
)

// Slot is the half-open interval [Start, End) of a booking, in UTC and whole
// microseconds, which is what PostgreSQL keeps.
type Slot struct {
	Start time.Time
	End   time.Time
}

// NewSlot cuts both times to the microsecond and checks the slot's shape. It
// fails with VALIDATION_FAILED on end_time.
func NewSlot(start, end time.Time) (Slot, error) {
	slot := Slot{Start: Microseconds(start), End: Microseconds(end)}
	if !slot.End.After(slot.Start) {
		return Slot{}, Invalid("end_time", "must be after start_time, by a microsecond at least")
	}
	if slot.End.Sub(slot.Start) > MaxSlotLength {
		return Slot{}, Invalid("end_time", "must be at most %d hours after start_time", MaxSlotLength/time.Hour)
	}
	return slot, nil
}

// CheckStart checks what an actor may book or move to at the time now. It fails
// with VALIDATION_FAILED where the start is too far ahead, and with
// START_IN_PAST where a customer asks for a start that has come.
func (s Slot) CheckStart(by Actor, now time.Time) error {
	if s.Start.After(now.AddDate(MaxYearsAhead, 0, 0)) {
		return Invalid("start_time", "must be at most %d years ahead", MaxYearsAhead)
	}
	if by.Role == RoleCustomer && !s.Start.After(now) {
		err := Invalid("start_time", "must lie in the future")
		err.Reason = ReasonStartInPast
		return err
	}
	return nil
}

// Equal reports whether both slots are the same interval.
func (s Slot) Equal(other Slot) bool {
	return s.Start.Equal(other.Start) && s.End.Equal(other.End)
}

// Microseconds cuts a time to the precision that the database keeps, in UTC.
func Microseconds(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
