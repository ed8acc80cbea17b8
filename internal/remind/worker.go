package remind

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingjob"
	"bookings/internal/feed"
	"bookings/internal/gather"
	"bookings/internal/pgpool"
)

var queries sqlc.Queries

// Worker works the jobs of reminders.
type Worker struct {
	river.WorkerDefaults[Args]

	Pool  *pgpool.Pool
	Feeds *feed.Hub
	Log   *slog.Logger
	// Late is told how long after it was due a reminder went out; it may be nil. One
	// that was due before it was asked for is due from then on.
	Late func(time.Duration)

	queue   gather.Queue[*turn]
	singles singles
}

// Work sends a reminder or records why none is sent, once: the event, the
// booking's reminder, the job of the next one and this one's completion are one
// transaction, so that a worker that dies leaves either all of it or a job that is
// tried again. It is that of a batch of jobs, or its own where the batch has left it.
func (w *Worker) Work(ctx context.Context, job *river.Job[Args]) error {
	came := w.together(ctx, job)
	if came == nil {
		var err error
		if came, err = w.alone(ctx, job); err != nil {
			return fmt.Errorf("remind of booking %s: %w", job.Args.BookingID, err)
		}
	}
	w.logOutcome(ctx, came)
	if w.Late != nil && came.event != nil {
		w.Late(came.late())
	}
	return nil
}

// alone works one job, and waits for its feeds.
func (w *Worker) alone(ctx context.Context, job *river.Job[Args]) (came *outcome, err error) {
	giveBack, err := w.singles.take(ctx)
	if err != nil {
		return nil, err
	}
	defer giveBack()
	err = bookingjob.Work(ctx, w.Pool, w.Feeds, job, job.Args.BookingID, func(tx pgx.Tx, b booking.Booking) ([]feed.Entry, error) {
		locked := parties{providers: []string{b.ProviderID}, customers: []string{b.CustomerID}}
		all, err := remind(ctx, tx, map[uuid.UUID]*turn{b.ID: {ctx: ctx, job: job}}, locked)
		if err != nil {
			return nil, err
		}
		came = all[0]
		return came.entries, nil
	})
	return came, err
}

// logOutcome logs what became of a reminder, once it is committed.
func (w *Worker) logOutcome(ctx context.Context, came *outcome) {
	log := w.Log.With("bookingId", came.booking.ID, "customerId", came.booking.CustomerID,
		"providerId", came.booking.ProviderID, "requestId", came.turn.job.Args.RequestID)
	if came.event == nil {
		log.InfoContext(ctx, "reminder not sent")
		return
	}
	log.InfoContext(ctx, "reminder due", "leadSeconds", *came.event.Data.LeadSeconds)
}
