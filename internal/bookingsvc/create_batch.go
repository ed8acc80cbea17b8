package bookingsvc

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/feed"
	"bookings/internal/pgbatch"
)

// createBatch is the one round trip that locks both feeds, asks what a booking
// depends on, and books. Asking first and writing in a second trip would be the
// plain way; together it is sound for two reasons.
//
// PostgreSQL runs the statements one after the other, and at READ COMMITTED each
// sees all that was committed before it began. The first waits for the lock of
// the provider's feed, so the others see everything that earlier holders of it
// did, and nobody can do anything that matters to them until the commit.
//
// And no statement fails for a reason that callers can cause. A slot or a key
// that is taken makes the INSERT write nothing, and without its row the event
// writes nothing either. What was written against a rule (too many pending) is
// rolled back with River's job. So a refusal is an answer, not an error of the
// database: none is in its log, and the connection keeps its prepared
// statements, without which the next create takes five or six round trips.
type createBatch struct {
	by          booking.Actor
	key         string // empty for none
	fingerprint []byte
	booking     booking.Booking

	// What the statements found.
	earlier  []sqlc.Booking // the booking that the key has made already
	pending  int64          // the customer's others at this provider
	inserted int64          // 1, or 0 where a constraint is in the way
	entries  []feed.Entry
}

func (c *createBatch) run(ctx context.Context, tx pgx.Tx, event booking.Event) error {
	var batch pgbatch.Batch
	b := c.booking
	pgbatch.Exec(&batch, queries.FeedLock, sqlc.FeedLockParams{ProviderID: b.ProviderID, CustomerID: b.CustomerID})
	if c.key != "" {
		pgbatch.Query(&batch, queries.BookingGetByKey, keyParams(b.ProviderID, c.key),
			func(rows []sqlc.Booking) { c.earlier = rows })
	}
	if b.Status == booking.StatusPending {
		pgbatch.Query(&batch, queries.BookingCountPending, pendingParams(b), func(n int64) { c.pending = n })
	}
	pgbatch.Query(&batch, queries.BookingInsert, bookingdb.InsertParams(b, c.key, c.fingerprint),
		func(n int64) { c.inserted = n })
	feed.Append(&batch, event, &c.entries)
	return batch.Send(ctx, tx)
}

// outcome judges what the statements found. The key comes before every rule (see
// replayOr), and the slot comes last.
//
// Where there is no earlier booking of the key, what kept the INSERT from
// writing is the slot: under the lock, nobody can have taken the key since it
// was looked up.
func (c *createBatch) outcome(maxPending int64) (Created, error) {
	if len(c.earlier) > 0 {
		return replay(c.earlier[0], c.fingerprint)
	}
	if err := booking.CheckPending(c.booking, c.by, c.pending, maxPending); err != nil {
		return Created{}, err
	}
	if c.inserted == 0 {
		return Created{}, booking.ErrSlotTaken
	}
	return Created{Booking: c.booking}, nil
}

// pendingParams count a customer's PENDING bookings beside this one.
func pendingParams(b booking.Booking) sqlc.BookingCountPendingParams {
	return sqlc.BookingCountPendingParams{CustomerID: b.CustomerID, ProviderID: b.ProviderID, Now: b.UpdateTime, Besides: b.ID}
}
