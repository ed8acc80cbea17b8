package expire

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/bookingjob"
	"bookings/internal/feed"
	"bookings/internal/pgbatch"
	"bookings/internal/pgpool"
	"bookings/internal/remind"
)

var queries sqlc.Queries

// Worker works the jobs of expiries.
type Worker struct {
	river.WorkerDefaults[Args]

	Pool  *pgpool.Pool
	Feeds *feed.Hub
	Log   *slog.Logger
}

// Work cancels a PENDING booking that nobody has answered.
func (w *Worker) Work(ctx context.Context, job *river.Job[Args]) error {
	var expired bool
	err := bookingjob.Work(ctx, w.Pool, w.Feeds, job, job.Args.BookingID, func(tx pgx.Tx, b booking.Booking) ([]feed.Entry, error) {
		entries, err := expire(ctx, tx, b, job.Args)
		expired = len(entries) > 0
		return entries, err
	})
	if err != nil {
		return fmt.Errorf("let booking %s expire: %w", job.Args.BookingID, err)
	}
	if expired {
		w.Log.InfoContext(ctx, "booking expired", "bookingId", job.Args.BookingID, "requestId", job.Args.RequestID)
	}
	return nil
}

// expire decides by a booking that is locked, and by PostgreSQL's clock, as the queue
// ran the job by that.
func expire(ctx context.Context, tx pgx.Tx, before booking.Booking, args Args) ([]feed.Entry, error) {
	now, err := queries.ClockTime(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("read the clock: %w", err)
	}
	after, event, err := before.Expire(args.Moves, booking.Microseconds(now))
	if err != nil || event == nil {
		return nil, err
	}
	return write(ctx, tx, before, after, *event)
}

// write records the cancellation and its event, and takes back the reminder's job, in
// one round trip.
func write(ctx context.Context, tx pgx.Tx, before, after booking.Booking, event booking.Event) (entries []feed.Entry, err error) {
	var batch pgbatch.Batch
	remind.Cancel(&batch, before.Reminder, event.Time)
	bookingdb.QueueUpdate(&batch, before, &after)
	feed.Append(&batch, event, &entries)
	if err := batch.Send(ctx, tx); err != nil {
		return nil, fmt.Errorf("write an expiry: %w", err)
	}
	return entries, nil
}
