package remind_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/pgtest"
)

// changes are made while the worker waits for the booking's locks.
var changes = map[string]struct {
	change func(b booking.Booking) booking.Change
	state  booking.ReminderState
}{
	"cancelled": {
		func(booking.Booking) booking.Change { return booking.Cancel("") },
		booking.ReminderSkipped,
	},
	"moved": {
		func(b booking.Booking) booking.Change {
			return booking.Reschedule(booking.Slot{Start: b.Slot.Start.AddDate(0, 2, 0), End: b.Slot.End.AddDate(0, 2, 0)}, 0)
		},
		booking.ReminderScheduled,
	},
}

// What the worker goes by is read under the locks, and not before.
func TestAWorkerSeesWhatHappensWhileItWaitsForTheLocks(t *testing.T) {
	t.Parallel()
	for name, test := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, always)
			b := d.book(time.Hour)
			tx, err := d.Pool.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if b, err = bookingdb.Lock(t.Context(), tx, bookingdb.Parties{ID: b.ID, ProviderID: b.ProviderID, CustomerID: b.CustomerID}); err != nil {
				t.Fatal(err)
			}
			d.work()
			pgtest.EventuallyBlocks(t, d.Pool.Pool, tx)
			d.store(tx, b, test.change(b))
			d.drained()
			d.checkReminder(b, test.state, 0)
		})
	}
}

// store makes a change without taking the job back, as if the worker had not
// heard of that yet, and commits.
func (d *desk) store(tx pgx.Tx, b booking.Booking, change booking.Change) {
	d.t.Helper()
	after, _, err := change.Apply(b, ben, "", d.Now())
	if err != nil {
		d.t.Fatal(err)
	}
	after.Reminder.JobID = b.Reminder.JobID
	rows, err := new(sqlc.Queries).BookingUpdate(d.t.Context(), tx, bookingdb.UpdateParams(after, false))
	if err != nil || len(rows) != 1 {
		d.t.Fatal("updated: ", len(rows), err)
	}
	if err := tx.Commit(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
}
