package booking_test

import (
	"errors"
	"fmt"
	"testing"

	"bookings/internal/booking"
)

func TestAReasonIsFoundThroughWraps(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("book: %w", booking.Errorf(booking.ReasonSlotTaken, "taken at %d", 9))
	if !booking.IsReason(err, booking.ReasonSlotTaken) || booking.IsReason(err, booking.ReasonNotAllowed) {
		t.Errorf("%v has another reason", err)
	}
	if booking.IsReason(nil, booking.ReasonSlotTaken) || booking.IsReason(errors.New("SLOT_TAKEN"), booking.ReasonSlotTaken) {
		t.Error("a reason was found where there is none")
	}
	if err.Error() != "book: SLOT_TAKEN: taken at 9" {
		t.Error(err)
	}
}

func TestAViolationNamesItsField(t *testing.T) {
	t.Parallel()
	err := booking.Invalid("note", "has %d characters", 1001)
	if err.Reason != booking.ReasonValidationFailed || err.Message != "note: has 1001 characters" {
		t.Error(err)
	}
	if len(err.Fields) != 1 || err.Fields[0] != (booking.FieldViolation{Field: "note", Description: "has 1001 characters"}) {
		t.Errorf("fields = %+v", err.Fields)
	}
}
