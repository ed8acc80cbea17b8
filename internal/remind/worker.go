package remind

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/bookingjob"
	"bookings/internal/feed"
	"bookings/internal/pgbatch"
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
}

// outcome is what a job has come to.
type outcome struct {
	booking booking.Booking
	// event is the reminder's, where one went out.
	event   *booking.Event
	entries []feed.Entry
}

// Work sends a reminder or records why none is sent, once: the event, the
// booking's reminder, the job of the next one and this one's completion are one
// transaction, so that a worker that dies leaves either all of it or a job that is
// tried again.
func (w *Worker) Work(ctx context.Context, job *river.Job[Args]) error {
	var came outcome
	err := bookingjob.Work(ctx, w.Pool, w.Feeds, job, job.Args.BookingID, func(tx pgx.Tx, b booking.Booking) (_ []feed.Entry, err error) {
		came, err = remind(ctx, tx, b, job.Args)
		return came.entries, err
	})
	if err != nil {
		return fmt.Errorf("remind of booking %s: %w", job.Args.BookingID, err)
	}
	w.logOutcome(ctx, came, job.Args)
	if w.Late != nil && came.event != nil {
		w.Late(came.late(job.CreatedAt))
	}
	return nil
}

// late is how long after it was due a reminder went out, or after it was asked for,
// where that was later.
func (o outcome) late(asked time.Time) time.Duration {
	due := o.booking.Slot.Start.Add(-time.Duration(*o.event.Data.LeadSeconds) * time.Second)
	return min(o.event.Time.Sub(due), o.event.Time.Sub(asked))
}

// remind decides by a booking that is locked.
func remind(ctx context.Context, tx pgx.Tx, before booking.Booking, args Args) (outcome, error) {
	lead := args.lead(before)
	// A unique index would refuse a second reminder of one start and lead, too; asked
	// here, it is no error that would have the job tried again in vain.
	// The time comes with it, as the queue ran the job by PostgreSQL's clock: by
	// one that is ahead, a start shortly after the due time would have passed, and
	// the reminder be skipped for ever.
	seen, err := queries.ReminderLook(ctx, tx, sqlc.ReminderLookParams{
		BookingID: before.ID, StartTime: before.Slot.Start, Lead: int32(lead / time.Second),
	})
	if err != nil {
		return outcome{}, fmt.Errorf("look for earlier reminders: %w", err)
	}
	after, event := before.Remind(args.Moves, lead, booking.LeadsOf(seen.SentLeads), booking.Microseconds(seen.Time))
	if after.Reminder.State == before.Reminder.State && after.Lead() == before.Lead() {
		return outcome{booking: before}, nil
	}
	client := river.ClientFromContext[pgx.Tx](ctx)
	if after, err = Schedule(ctx, client, tx, after, args.RequestID); err != nil {
		return outcome{}, err
	}
	entries, err := write(ctx, tx, after, event)
	return outcome{booking: after, event: event, entries: entries}, err
}

// write records what became of a reminder, and its event where it goes out, in
// one round trip.
//
// No e-mail or SMS is sent here: sending has no transaction to share with
// PostgreSQL. A service that follows the feed of everything sends them, and is
// told of each reminder by its event: see examples/mailer.
func write(ctx context.Context, tx pgx.Tx, b booking.Booking, event *booking.Event) (entries []feed.Entry, err error) {
	var batch pgbatch.Batch
	pgbatch.Exec(&batch, queries.BookingSetReminder, bookingdb.ReminderParams(b))
	if event != nil {
		feed.Append(&batch, *event, &entries)
	}
	if err := batch.Send(ctx, tx); err != nil {
		return nil, fmt.Errorf("write a reminder: %w", err)
	}
	return entries, nil
}

// logOutcome logs what became of a reminder, once it is committed.
func (w *Worker) logOutcome(ctx context.Context, came outcome, args Args) {
	log := w.Log.With("bookingId", args.BookingID, "customerId", came.booking.CustomerID,
		"providerId", came.booking.ProviderID, "requestId", args.RequestID)
	if came.event == nil {
		log.InfoContext(ctx, "reminder not sent")
		return
	}
	log.InfoContext(ctx, "reminder due", "leadSeconds", *came.event.Data.LeadSeconds)
}
