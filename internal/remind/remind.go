package remind

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/feed"
	"bookings/internal/pgbatch"
	"bookings/internal/tracing"
)

// outcome is what a job has come to.
type outcome struct {
	turn    *turn
	booking booking.Booking
	// event is the reminder's, where one went out.
	event   *booking.Event
	entries []feed.Entry
	// changed tells that the booking is not as it was, and time when that was.
	changed bool
	time    time.Time
}

// late is how long after it was due a reminder went out, or after it was asked for,
// where that was later.
func (o *outcome) late() time.Duration {
	due := o.booking.Slot.Start.Add(-time.Duration(*o.event.Data.LeadSeconds) * time.Second)
	return min(o.event.Time.Sub(due), o.event.Time.Sub(o.turn.job.CreatedAt))
}

// remind does what jobs are to do with a booking each, of those whose feeds are both
// locked, and leaves the others. What is written is as few statements for many as for
// one.
func remind(ctx context.Context, tx pgx.Tx, turns map[uuid.UUID]*turn, locked parties) ([]*outcome, error) {
	rows, err := read(ctx, tx, turns, locked)
	if err != nil {
		return nil, err
	}
	all := make([]*outcome, len(rows))
	for i, row := range rows {
		all[i] = decide(row, turns[row.Booking.ID])
	}
	if err := scheduleNext(ctx, tx, all); err != nil {
		return nil, err
	}
	return all, write(ctx, tx, all)
}

// decide decides by a booking that is locked.
//
// A unique index would refuse a second reminder of one start and lead, too; asked
// here, it is no error that would have the job tried again in vain. The time comes
// with it, as the queue ran the job by PostgreSQL's clock: by one that is ahead, a
// start shortly after the due time would have passed, and the reminder be skipped for
// ever.
func decide(row sqlc.ReminderReadRow, t *turn) *outcome {
	args := t.job.Args
	before, now := bookingdb.FromRow(row.Booking), booking.Microseconds(row.Time)
	after, event := before.Remind(args.Moves, args.lead(before), booking.LeadsOf(row.SentLeads), now)
	changed := after.Reminder.State != before.Reminder.State || after.Lead() != before.Lead()
	return &outcome{turn: t, booking: after, event: event, changed: changed, time: now}
}

// scheduleNext inserts the jobs of the next leads, where there are some.
func scheduleNext(ctx context.Context, tx pgx.Tx, all []*outcome) error {
	var jobs []river.InsertManyParams
	for _, o := range all {
		if o.changed && o.booking.Reminder.State == booking.ReminderScheduled {
			jobs = append(jobs, o.next())
		}
	}
	if len(jobs) == 0 {
		return nil
	}
	inserted, err := river.ClientFromContext[pgx.Tx](ctx).InsertManyTx(ctx, tx, jobs)
	if err != nil {
		return fmt.Errorf("insert the jobs of the next reminders: %w", err)
	}
	ids := make(map[uuid.UUID]*int64, len(inserted))
	for _, result := range inserted {
		var args Args
		if err := json.Unmarshal(result.Job.EncodedArgs, &args); err != nil {
			return fmt.Errorf("read a job's arguments: %w", err)
		}
		ids[args.BookingID] = &result.Job.ID
	}
	for _, o := range all {
		if id := ids[o.booking.ID]; id != nil {
			o.booking.Reminder.JobID = id
		}
	}
	return nil
}

// next is the job of the reminder that follows.
func (o *outcome) next() river.InsertManyParams {
	args, options := next(o.booking, o.turn.job.Args.RequestID)
	options.Metadata = tracing.HandOn(o.turn.ctx)
	return river.InsertManyParams{Args: args, InsertOpts: &options}
}

// write records what became of reminders, and the events of those that go out, in
// one round trip.
//
// No e-mail or SMS is sent here: sending has no transaction to share with
// PostgreSQL. A service that follows the feed of everything sends them, and is
// told of each reminder by its event: see examples/mailer.
func write(ctx context.Context, tx pgx.Tx, all []*outcome) error {
	var reminders sqlc.ReminderSetParams
	var events []booking.Event
	var sent []*outcome
	for _, o := range all {
		if o.changed {
			bookingdb.AddReminder(&reminders, o.booking)
		}
		if o.event != nil {
			events, sent = append(events, *o.event), append(sent, o)
		}
	}
	var entries [][]feed.Entry
	if err := send(ctx, tx, reminders, events, &entries); err != nil {
		return fmt.Errorf("write reminders: %w", err)
	}
	for i, o := range sent {
		o.entries = entries[i]
	}
	return nil
}

func send(ctx context.Context, tx pgx.Tx, reminders sqlc.ReminderSetParams, events []booking.Event, entries *[][]feed.Entry) error {
	if len(reminders.Ids) == 0 {
		return nil
	}
	var batch pgbatch.Batch
	pgbatch.Exec(&batch, queries.ReminderSet, reminders)
	if len(events) > 0 {
		feed.AppendMany(&batch, events, entries)
	}
	return batch.Send(ctx, tx)
}
