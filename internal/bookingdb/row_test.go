package bookingdb_test

import (
	"reflect"
	"testing"
	"time"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/pgtest"
)

// A field that is written and not read, or the other way round, is lost data.
func TestEverythingOfABookingComesBack(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	b := insert(t, pool, confirmed())
	checkStored(t, pool, b)

	b.Slot = booking.Slot{Start: now.Add(48 * time.Hour), End: now.Add(49 * time.Hour)}
	b.Status, b.Version, b.Moves = booking.StatusPending, 2, 1
	b.Reminder = booking.Reminder{DueTime: b.Slot.Start, State: booking.ReminderSent}
	b.UpdateTime = now
	update(t, pool, b)
	checkStored(t, pool, b)

	b.Status, b.Version = booking.StatusCancelled, 3
	b.Cancellation = &booking.Cancellation{Reason: "", By: booking.RoleInternal, Time: now.Add(time.Microsecond)}
	b.Reminder.State = booking.ReminderSkipped
	update(t, pool, b)
	checkStored(t, pool, b)
}

func update(t *testing.T, pool sqlc.DBTX, b booking.Booking) {
	t.Helper()
	n, err := queries.BookingUpdate(t.Context(), pool, bookingdb.UpdateParams(b))
	if err != nil || n != 1 {
		t.Fatal("updated: ", n, err)
	}
}

func checkStored(t *testing.T, pool sqlc.DBTX, want booking.Booking) {
	t.Helper()
	got, err := bookingdb.Get(t.Context(), pool, want.ID, booking.Internal)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("stored, %v:\n%+v\n%+v", err, got, want)
	}
}
