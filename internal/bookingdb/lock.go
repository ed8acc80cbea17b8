package bookingdb

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/pgbatch"
)

var queries sqlc.Queries

// ErrNotFound is the answer for a booking that does not exist or is not the
// caller's: the two must not be told apart.
var ErrNotFound = booking.Errorf(booking.ReasonBookingNotFound, "there is no such booking")

// Parties are whom a booking is between. They never change.
type Parties struct {
	ID                     uuid.UUID
	ProviderID, CustomerID string
}

// ReadParties reads a booking's parties without a lock. It fails with
// ErrNotFound where the booking is not the actor's own. Whose it is, is asked
// before any lock: a stranger must not be able to tell a booking that exists
// from one that does not by how long the answer takes.
func ReadParties(ctx context.Context, db sqlc.DBTX, id uuid.UUID, by booking.Actor) (Parties, error) {
	row, err := queries.BookingParties(ctx, db, id)
	if err != nil {
		return Parties{}, NotFound(fmt.Errorf("read a booking's parties: %w", err))
	}
	if !by.Owns(booking.Booking{ProviderID: row.ProviderID, CustomerID: row.CustomerID}) {
		return Parties{}, ErrNotFound
	}
	return Parties{ID: id, ProviderID: row.ProviderID, CustomerID: row.CustomerID}, nil
}

// Lock takes the locks of every path that changes a booking, in the one order
// that keeps those paths from deadlocking, once its parties are known:
//
//  1. lock both feeds, the provider's, then the customer's;
//  2. lock the booking and read it.
//
// Two transactions that both take the provider's feed before the customer's
// cannot each wait for the other, even where two users are each other's provider
// and customer: a feed belongs to one user in one role. A create locks the
// provider's feed, and the customer's after it has written its booking: that fits in,
// as nobody can wait for a row that is not committed. Reminders and creates that are
// written together lock the feeds of many in any order, those that nobody has.
//
// The provider's feed is what makes the use cases simple. Whoever has it is the
// only one to change this provider's bookings, and each statement after it sees
// all that was committed before (READ COMMITTED takes a snapshot a statement,
// not one a transaction). So counting, looking for a key or for a free slot
// cannot be overtaken. The price is that one provider's calls wait for each
// other; those of two providers wait only where they share a customer.
//
// River's rows come after these, by the ids that the booking names, so that
// nobody who waits for a feed has one of them.
func Lock(ctx context.Context, tx pgx.Tx, of Parties) (b booking.Booking, err error) {
	var batch pgbatch.Batch
	QueueLock(&batch, of, &b)
	if err := batch.Send(ctx, tx); err != nil {
		return booking.Booking{}, NotFound(fmt.Errorf("lock a booking: %w", err))
	}
	return b, nil
}

// QueueLock adds Lock's statements to a batch, whose error is for NotFound. Once it has
// run, b is the booking.
func QueueLock(batch *pgbatch.Batch, of Parties, b *booking.Booking) {
	feeds := sqlc.FeedLockParams{ProviderID: of.ProviderID, CustomerID: of.CustomerID}
	pgbatch.Exec(batch, queries.FeedLock, feeds)
	pgbatch.Query(batch, queries.BookingGetForUpdate, of.ID, func(row sqlc.Booking) { *b = FromRow(row) })
}

// Get reads a booking without a lock. It fails with ErrNotFound where the
// booking is not the actor's own.
func Get(ctx context.Context, db sqlc.DBTX, id uuid.UUID, by booking.Actor) (booking.Booking, error) {
	row, err := queries.BookingGet(ctx, db, id)
	if err != nil {
		return booking.Booking{}, NotFound(fmt.Errorf("read a booking: %w", err))
	}
	if b := FromRow(row); by.Owns(b) {
		return b, nil
	}
	return booking.Booking{}, ErrNotFound
}

// NotFound makes ErrNotFound of an error that says that a row is not there, and leaves
// others as they are.
func NotFound(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotFound
	}
	return err
}
