package remind

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"bookings/internal/booking"
	"bookings/internal/bookingjob"
	"bookings/internal/pgbatch"
)

// Queue is the River queue of reminders.
const Queue = "reminders"

// Args are a reminder's job. The booking's id, the number of its moves and the lead
// make the job unique: uniqueness by start time would lose the reminder of a booking
// that is moved away and back while its job runs.
type Args struct {
	BookingID uuid.UUID `json:"bookingId" river:"unique"`
	Moves     int32     `json:"moves" river:"unique"`
	// LeadSeconds is how long before the start the reminder is due. Jobs of the
	// version before have none: they are of the next reminder, whichever that is.
	LeadSeconds *int32 `json:"leadSeconds,omitempty" river:"unique"`
	// RequestID is of the request that booked or moved, for the logs.
	RequestID string `json:"requestId"`
}

// Kind implements river.JobArgs.
func (Args) Kind() string { return "reminder" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (Args) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: Queue, UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

// lead is the job's, once the booking is known.
func (a Args) lead(b booking.Booking) time.Duration {
	if a.LeadSeconds == nil {
		return b.Lead()
	}
	return time.Duration(*a.LeadSeconds) * time.Second
}

// Insert adds to a batch the insertion of the job of a booking's next reminder, where
// one is to come (see bookingjob.Insert).
func Insert(ctx context.Context, batch *pgbatch.Batch, client *river.Client[pgx.Tx], b booking.Booking, requestID string) error {
	if b.Reminder.State != booking.ReminderScheduled {
		return nil
	}
	args, options := next(b, requestID)
	return bookingjob.Insert(ctx, batch, client, bookingjob.Reminder, b, args, &options)
}

// next is the job of a booking's next reminder.
func next(b booking.Booking, requestID string) (Args, river.InsertOpts) {
	lead := int32(b.Lead() / time.Second)
	var options river.InsertOpts
	// A job with a time waits for River's scheduler, who looks every 5 seconds;
	// one without is available at once.
	if b.Reminder.DueTime.After(b.UpdateTime) {
		options.ScheduledAt = b.Reminder.DueTime
	}
	return Args{BookingID: b.ID, Moves: b.Moves, LeadSeconds: &lead, RequestID: requestID}, options
}

// Cancel adds to a batch that the job of a reminder that will not come is taken back
// (see bookingjob.Cancel).
func Cancel(batch *pgbatch.Batch, r booking.Reminder, now time.Time) {
	if r.JobID != nil && r.State == booking.ReminderScheduled {
		bookingjob.Cancel(batch, *r.JobID, now)
	}
}
