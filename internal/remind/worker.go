package remind

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingdb"
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

// Work sends a reminder or records why none is sent, once: the event, the
// booking's reminder and the job's completion are one transaction, so that a
// worker that dies leaves either all of it or a job that is tried again.
func (w *Worker) Work(ctx context.Context, job *river.Job[Args]) error {
	parties, err := bookingdb.ReadParties(ctx, w.Pool, job.Args.BookingID, booking.Internal)
	if err != nil {
		return fmt.Errorf("remind of booking %s: %w", job.Args.BookingID, err)
	}
	var entries []feed.Entry
	var b booking.Booking
	err = w.Pool.InTx(ctx, parties.ProviderID, func(tx pgx.Tx) (err error) {
		b, entries, err = w.remind(ctx, tx, parties, job.Args)
		if err != nil {
			return err
		}
		if _, err := river.JobCompleteTx[*riverpgxv5.Driver](ctx, tx, job); err != nil {
			return fmt.Errorf("complete the job: %w", err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("remind of booking %s: %w", job.Args.BookingID, err)
	}
	w.Feeds.Publish(entries)
	if w.Late != nil && len(entries) > 0 {
		w.Late(min(entries[0].Time.Sub(b.Reminder.DueTime), entries[0].Time.Sub(job.CreatedAt)))
	}
	w.logOutcome(ctx, b, job.Args, len(entries) > 0)
	return nil
}

// remind takes the locks that every change takes and decides by the booking as
// it is then: whatever cancelled or moved it since the job was made has either
// been committed, and is seen, or waits for this.
func (w *Worker) remind(ctx context.Context, tx pgx.Tx, parties bookingdb.Parties, args Args) (booking.Booking, []feed.Entry, error) {
	b, err := bookingdb.Lock(ctx, tx, parties)
	if err != nil {
		return b, nil, err
	}
	// A unique index would refuse a second reminder of one start, too; asked here,
	// it is no error that would have the job tried again in vain.
	// The time comes with it, as the queue ran the job by PostgreSQL's clock: by
	// one that is ahead, a start shortly after the due time would have passed, and
	// the reminder be skipped for ever.
	seen, err := queries.ReminderLook(ctx, tx, sqlc.ReminderLookParams{BookingID: b.ID, StartTime: b.Slot.Start})
	if err != nil {
		return b, nil, fmt.Errorf("look for an earlier reminder: %w", err)
	}
	after, event := b.Remind(args.Moves, seen.Sent, booking.Microseconds(seen.Time))
	if after.Reminder.State == b.Reminder.State {
		return b, nil, nil
	}
	entries, err := write(ctx, tx, after, event)
	return after, entries, err
}

// write records what became of a reminder, and its event where it goes out, in
// one round trip.
//
// An e-mail or an SMS would begin here: sending it has no transaction to share
// with PostgreSQL, so it is a job of its own, inserted in this one, with the
// booking's id and start as its unique key (see Args). Its worker sends, and is
// tried again where that fails.
func write(ctx context.Context, tx pgx.Tx, b booking.Booking, event *booking.Event) (entries []feed.Entry, err error) {
	var batch pgbatch.Batch
	pgbatch.Exec(&batch, queries.BookingSetReminder, sqlc.BookingSetReminderParams{ID: b.ID, ReminderState: string(b.Reminder.State)})
	if event != nil {
		feed.Append(&batch, *event, &entries)
	}
	if err := batch.Send(ctx, tx); err != nil {
		return nil, fmt.Errorf("write a reminder: %w", err)
	}
	return entries, nil
}

// logOutcome logs what became of a reminder, once it is committed.
func (w *Worker) logOutcome(ctx context.Context, b booking.Booking, args Args, sent bool) {
	message := "reminder not sent"
	if sent {
		message = "reminder due"
	}
	w.Log.InfoContext(ctx, message,
		"bookingId", args.BookingID, "customerId", b.CustomerID, "providerId", b.ProviderID, "requestId", args.RequestID)
}
