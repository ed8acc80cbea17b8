package bookingdb_test

import (
	"crypto/sha256"
	"reflect"
	"strings"
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
	made := confirmed()
	made.Expiry = &booking.Expiry{Time: made.Slot.Start}
	made.Status = booking.StatusPending
	row := insertWithKey(t, pool, made, "a-key", make([]byte, 32))
	if !row.Inserted || row.ReminderJobID == nil || row.ExpireJobID == nil || *row.ReminderJobID == *row.ExpireJobID {
		t.Fatalf("inserted: %+v", row)
	}
	made = bookingdb.WithJobs(made, row.ReminderJobID, row.ExpireJobID)
	inserted := checkStored(t, pool, made)

	moved := made
	moved.Slot = booking.Slot{Start: now.Add(48 * time.Hour), End: now.Add(49 * time.Hour)}
	moved.Status, moved.Version, moved.Moves = booking.StatusPending, 2, 1
	moved.Reminder = booking.Reminder{Leads: booking.Leads{time.Hour, 0}, DueTime: moved.Slot.Start, State: booking.ReminderSent}
	moved.Expiry = &booking.Expiry{Time: moved.Slot.Start, JobID: 5}
	moved.UpdateTime = now
	moved.Note, moved.Metadata = "another", booking.Metadata{"c": strings.Repeat("𝄞", 500)}
	update(t, pool, moved)
	waiting := checkStored(t, pool, moved)

	cancelled := moved
	cancelled.Status, cancelled.Version, cancelled.Expiry = booking.StatusCancelled, 3, nil
	cancelled.Cancellation = &booking.Cancellation{Reason: "ill", By: booking.RoleInternal, Time: now.Add(time.Microsecond)}
	cancelled.Reminder.State = booking.ReminderSkipped
	cancelled.Note, cancelled.Metadata = "", nil
	update(t, pool, cancelled)
	updated := checkStored(t, pool, cancelled)

	checkEveryFieldIsSet(t, made, moved, cancelled)
	checkEveryFieldIsSet(t, inserted, waiting, updated)

	cancelled.Cancellation.Reason = "" // is a reason, too
	update(t, pool, cancelled)
	checkStored(t, pool, cancelled)
}

// checkEveryFieldIsSet keeps the test above whole: a new field, or column, has
// to have a value in one of its bookings, else nobody would see it lost.
func checkEveryFieldIsSet[T any](t *testing.T, bookings ...T) {
	t.Helper()
	for _, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		set := false
		for _, b := range bookings {
			set = set || !reflect.ValueOf(b).FieldByIndex(field.Index).IsZero()
		}
		if !set {
			t.Errorf("no %T of this test has a %s", bookings[0], field.Name)
		}
	}
}

// What is refused is no error: that would end the transaction.
func TestNothingIsWrittenWhereTheSlotOrKeyIsTaken(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	fingerprint := sha256.Sum256([]byte("a call"))
	first, later := confirmed(), confirmed()
	later.Slot = booking.Slot{Start: first.Slot.End, End: first.Slot.End.Add(time.Hour)}
	overlapping := later
	overlapping.Slot.Start = first.Slot.End.Add(-time.Microsecond)
	for _, test := range []struct {
		b    *booking.Booking
		key  string
		want bool
	}{
		{&first, "a-key", true},
		{&overlapping, "", false},
		{&overlapping, "b-key", false},
		{&later, "a-key", false},
		{&later, "b-key", true},
	} {
		row := insertWithKey(t, pool, *test.b, test.key, fingerprint[:])
		if row.Inserted != test.want {
			t.Errorf("inserted %+v, not %t", row, test.want)
		}
		if row.Inserted {
			*test.b = bookingdb.WithJobs(*test.b, row.ReminderJobID, row.ExpireJobID)
		}
	}
	overlapping.Reminder.JobID = later.Reminder.JobID
	rows, err := queries.BookingUpdate(t.Context(), pool, bookingdb.UpdateParams(overlapping, false))
	if err != nil || len(rows) != 0 {
		t.Errorf("updated %d, %v", len(rows), err)
	}
	checkStored(t, pool, later)
	first.Status, first.Reminder.State = booking.StatusCompleted, booking.ReminderSent
	update(t, pool, first)
	update(t, pool, overlapping) // the slot is free
}

func update(t *testing.T, pool sqlc.DBTX, b booking.Booking) {
	t.Helper()
	rows, err := queries.BookingUpdate(t.Context(), pool, bookingdb.UpdateParams(b, false))
	if err != nil || len(rows) != 1 {
		t.Fatal("updated: ", len(rows), err)
	}
}

// checkStored also answers the row.
func checkStored(t *testing.T, pool sqlc.DBTX, want booking.Booking) sqlc.Booking {
	t.Helper()
	got, err := bookingdb.Get(t.Context(), pool, want.ID, booking.Internal)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("stored, %v:\n%+v\n%+v", err, got, want)
	}
	row, err := queries.BookingGet(t.Context(), pool, want.ID)
	if err != nil {
		t.Fatal(err)
	}
	return row
}
