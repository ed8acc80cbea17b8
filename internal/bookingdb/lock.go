package bookingdb

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
)

var queries sqlc.Queries

// ErrNotFound is the answer for a booking that does not exist or is not the
// caller's: the two must not be told apart.
var ErrNotFound = booking.Errorf(booking.ReasonBookingNotFound, "there is no such booking")

// Lock takes the locks of every path that changes a booking, in the one order
// that keeps those paths from deadlocking:
//
//  1. read the booking's parties without a lock, since they never change;
//  2. lock both feeds, the provider's, then the customer's;
//  3. lock the booking and read it.
//
// Creating a booking takes step 2 alone: nobody else knows its row yet. River's
// rows come after these. Lock fails with ErrNotFound where the booking is not
// the actor's own.
func Lock(ctx context.Context, tx pgx.Tx, id uuid.UUID, by booking.Actor) (booking.Booking, error) {
	parties, err := queries.BookingParties(ctx, tx, id)
	if err != nil {
		return booking.Booking{}, notFound(err)
	}
	if !by.Owns(booking.Booking{ProviderID: parties.ProviderID, CustomerID: parties.CustomerID}) {
		return booking.Booking{}, ErrNotFound
	}
	if err := queries.FeedLock(ctx, tx, sqlc.FeedLockParams(parties)); err != nil {
		return booking.Booking{}, fmt.Errorf("lock feeds: %w", err)
	}
	row, err := queries.BookingGetForUpdate(ctx, tx, id)
	if err != nil {
		return booking.Booking{}, notFound(err)
	}
	return FromRow(row), nil
}

// Get reads a booking without a lock. It fails with ErrNotFound where the
// booking is not the actor's own.
func Get(ctx context.Context, db sqlc.DBTX, id uuid.UUID, by booking.Actor) (booking.Booking, error) {
	row, err := queries.BookingGet(ctx, db, id)
	if err != nil {
		return booking.Booking{}, notFound(err)
	}
	if b := FromRow(row); by.Owns(b) {
		return b, nil
	}
	return booking.Booking{}, ErrNotFound
}

func notFound(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotFound
	}
	return fmt.Errorf("read a booking: %w", err)
}
