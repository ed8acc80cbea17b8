package rpcapi

import (
	"testing"
	"time"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

// Enums are made of each other by name: one that the proto lacks would be
// answered as UNSPECIFIED.
func TestTheProtoHasEachStatusActionAndReminderState(t *testing.T) {
	t.Parallel()
	now := time.Date(2027, 6, 1, 9, 0, 0, 0, time.UTC)
	actions := map[bookingsv1.BookingAction]bool{}
	for _, status := range []booking.Status{
		booking.StatusPending, booking.StatusConfirmed, booking.StatusCancelled, booking.StatusCompleted, booking.StatusNoShow,
	} {
		b := booking.Booking{Status: status, Slot: booking.Slot{Start: now, End: now.Add(time.Hour)}}
		shown := toBooking(b, booking.Internal, now)
		if back := fromStatuses([]bookingsv1.BookingStatus{shown.GetStatus()}); back[0] != status {
			t.Errorf("%s comes back as %s", status, back[0])
		}
		for _, action := range shown.GetAllowedActions() {
			actions[action] = true
		}
	}
	if defined := len(bookingsv1.BookingAction_name) - 1; len(actions) != defined || actions[0] {
		t.Errorf("the proto defines %d actions, shown are %v", defined, actions)
	}
	for _, state := range []booking.ReminderState{booking.ReminderScheduled, booking.ReminderSent, booking.ReminderSkipped} {
		if shown := toReminder(booking.Reminder{State: state}); shown.GetState() == 0 {
			t.Errorf("the proto has no %s", state)
		}
	}
}
