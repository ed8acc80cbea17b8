// Package expire lets PENDING bookings expire that nobody answers: a River job for
// each, inserted in the transaction that makes it PENDING, and a worker that re-reads
// the booking under the same locks as every other change.
package expire

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

// Queue is the River queue of expiries: its own, so that many of them at once delay
// no reminder.
const Queue = "expiries"

// Args are an expiry's job. The booking's id and the number of its moves make the job
// unique: a booking becomes PENDING when it is made, and again with a move.
type Args struct {
	BookingID uuid.UUID `json:"bookingId" river:"unique"`
	Moves     int32     `json:"moves" river:"unique"`
	// RequestID is of the request that booked or moved, for the logs.
	RequestID string `json:"requestId"`
}

// Kind implements river.JobArgs.
func (Args) Kind() string { return "expiry" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (Args) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: Queue, UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

// Insert adds to a batch the insertion of the job of a booking's expiry (see
// bookingjob.Insert). A booking that does not expire has no job.
func Insert(ctx context.Context, batch *pgbatch.Batch, client *river.Client[pgx.Tx], b booking.Booking, requestID string) error {
	if b.Expiry == nil {
		return nil
	}
	args := Args{BookingID: b.ID, Moves: b.Moves, RequestID: requestID}
	return bookingjob.Insert(ctx, batch, client, bookingjob.Expiry, b, args, &river.InsertOpts{ScheduledAt: b.Expiry.Time})
}

// Cancel adds to a batch that the job of a booking that expires no more, or at another
// time, is taken back; nil where it never would (see bookingjob.Cancel).
func Cancel(batch *pgbatch.Batch, e *booking.Expiry, now time.Time) {
	if e != nil {
		bookingjob.Cancel(batch, e.JobID, now)
	}
}
