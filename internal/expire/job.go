// Package expire lets PENDING bookings expire that nobody answers: a River job for
// each, inserted in the transaction that makes it PENDING, and a worker that re-reads
// the booking under the same locks as every other change.
package expire

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"bookings/internal/booking"
	"bookings/internal/bookingjob"
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

// Schedule inserts the job of a booking's expiry and returns the booking with the
// job's id. A booking that does not expire has no job.
func Schedule(ctx context.Context, client *river.Client[pgx.Tx], tx pgx.Tx, b booking.Booking, requestID string) (booking.Booking, error) {
	if b.Expiry == nil {
		return b, nil
	}
	args := Args{BookingID: b.ID, Moves: b.Moves, RequestID: requestID}
	inserted, err := client.InsertTx(ctx, tx, args, &river.InsertOpts{ScheduledAt: b.Expiry.Time})
	if err != nil {
		return b, fmt.Errorf("insert an expiry's job: %w", err)
	}
	b.Expiry = &booking.Expiry{Time: b.Expiry.Time, JobID: inserted.Job.ID}
	return b, nil
}

// Cancel takes back the job of a booking that expires no more, or at another time;
// nil where it never would (see bookingjob.Cancel).
func Cancel(ctx context.Context, client *river.Client[pgx.Tx], tx pgx.Tx, e *booking.Expiry) error {
	if e == nil {
		return nil
	}
	return bookingjob.Cancel(ctx, client, tx, e.JobID)
}
