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

// newBooking is what a create writes: the booking where it may be made, then its jobs
// and its event. Written alone (createGroup has others) it takes one round trip, with the
// locks and the commit. Asking first and writing in a second trip would be the plain
// way; together it is sound for three reasons.
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
type newBooking struct {
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

// queue adds the statements of a booking that is written alone.
func (n *newBooking) queue(ctx context.Context, batch *pgbatch.Batch) error {
	n.entries = nil
	pgbatch.Exec(batch, queries.FeedLockProvider, n.booking.ProviderID)
	params := sqlc.BookingInsertParams{MaxPending: n.maxPending}
	bookingdb.AddInsert(&params, n.booking, n.key, n.fingerprint)
	pgbatch.Query(batch, queries.BookingInsert, params, func(rows []sqlc.BookingInsertRow) { n.inserted = rows[0] })
	if err := insertJobs(ctx, batch, n.client, n.booking); err != nil {
		return err
	}
	feed.Append(batch, n.event, &n.entries)
	return nil
}

// outcome judges what kept the booking from being made, where something did. The slot
// comes last: it may be the key instead, which replayOr looks for.
func (n *newBooking) outcome(by booking.Actor) (booking.Booking, error) {
	if n.inserted.Inserted {
		return bookingdb.WithJobs(n.booking, n.inserted.ReminderJobID, n.inserted.ExpireJobID), nil
	}
	if err := booking.CheckPending(n.booking, by, n.inserted.Pending, n.maxPending); err != nil {
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
