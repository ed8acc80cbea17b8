package bookingdb

import (
	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/pgbatch"
)

// WithJobs is a booking whose row has drawn the ids of its jobs.
func WithJobs(b booking.Booking, reminderID, expiryID *int64) booking.Booking {
	b.Reminder.JobID = reminderID
	if b.Expiry != nil && expiryID != nil {
		b.Expiry = &booking.Expiry{Time: b.Expiry.Time, JobID: *expiryID}
	}
	return b
}

// QueueUpdate adds to a batch the writing of a booking as it is after a change. Where
// it has been moved it gets new jobs, whose ids it has once the batch has run.
// updated, which starts as false, tells whether it was written: it is not where
// its new slot is taken.
func QueueUpdate(batch *pgbatch.Batch, before booking.Booking, after *booking.Booking) (updated *bool) {
	updated = new(bool)
	params := UpdateParams(*after, after.Moves != before.Moves)
	pgbatch.Query(batch, queries.BookingUpdate, params, func(rows []sqlc.BookingUpdateRow) {
		for _, row := range rows {
			*after, *updated = WithJobs(*after, row.ReminderJobID, row.ExpireJobID), true
		}
	})
	return updated
}
