package bookingsvc

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/expire"
	"bookings/internal/feed"
	"bookings/internal/pgbatch"
	"bookings/internal/remind"
	"bookings/internal/requestid"
)

// createBatch is the one round trip that books: it locks the provider's feed, inserts
// the booking where it may, then its jobs and its event, and commits. Asking first and
// writing in a second trip would be the plain way; together it is sound for three
// reasons.
//
// PostgreSQL runs the statements one after the other, and at READ COMMITTED each
// sees all that was committed before it began. The first waits for the lock of
// the provider's feed, so the others see everything that earlier holders of it
// did, and nobody can do anything that matters to them until the commit.
//
// What a booking depends on is asked by the statement that inserts it, and what
// follows is written for a booking that is there. So a refused call writes nothing,
// and there is nothing to take back.
//
// And no statement fails for a reason that callers can cause: a refusal is an answer,
// not an error of the database. None is in its log, and the connection keeps its
// prepared statements, without which the next create takes more round trips.
//
// The customer's feed is locked last, by the event: later than in other paths, which
// lock a booking after both feeds. Nobody can wait for a booking that is not committed.
type createBatch struct {
	booking     booking.Booking
	event       booking.Event
	key         string // empty for none
	fingerprint []byte
	maxPending  int64
	client      *river.Client[pgx.Tx]

	// What the statements answer.
	inserted sqlc.BookingInsertRow
	entries  []feed.Entry
}

func (c *createBatch) queue(ctx context.Context, batch *pgbatch.Batch) error {
	b := c.booking
	c.entries = nil
	pgbatch.Exec(batch, queries.FeedLockProvider, b.ProviderID)
	pgbatch.Query(batch, queries.BookingInsert, bookingdb.InsertParams(b, c.key, c.fingerprint, c.maxPending),
		func(row sqlc.BookingInsertRow) { c.inserted = row })
	if err := insertJobs(ctx, batch, c.client, b); err != nil {
		return err
	}
	feed.Append(batch, c.event, &c.entries)
	return nil
}

// outcome judges what kept the booking from being made, where something did. The slot
// comes last: it may be the key instead, which replayOr looks for.
func (c *createBatch) outcome(by booking.Actor) (booking.Booking, error) {
	if c.inserted.Inserted {
		return bookingdb.WithJobs(c.booking, c.inserted.ReminderJobID, c.inserted.ExpireJobID), nil
	}
	if err := booking.CheckPending(c.booking, by, c.inserted.Pending, c.maxPending); err != nil {
		return booking.Booking{}, err
	}
	return booking.Booking{}, booking.ErrSlotTaken
}

// insertJobs adds to a batch the jobs of a booking that it makes or moves.
func insertJobs(ctx context.Context, batch *pgbatch.Batch, client *river.Client[pgx.Tx], b booking.Booking) error {
	if err := remind.Insert(ctx, batch, client, b, requestid.From(ctx)); err != nil {
		return err
	}
	return expire.Insert(ctx, batch, client, b, requestid.From(ctx))
}
