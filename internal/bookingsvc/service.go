// Package bookingsvc holds the use cases, one file each. A use case is one
// transaction: it takes the locks, asks package booking what the rules say,
// writes the booking, its event and its reminder's job, and publishes the event
// after the commit.
package bookingsvc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/feed"
	"bookings/internal/pgerror"
)

// Service is what all use cases need.
type Service struct {
	Pool  *pgxpool.Pool
	Jobs  *river.Client[pgx.Tx]
	Feeds *feed.Hub
	Now   func() time.Time
	// ReminderLead is how long before its start a booking is reminded of.
	ReminderLead time.Duration
	// MaxPending is how many PENDING bookings with a future start a customer
	// may hold at one provider.
	MaxPending int64
}

var queries sqlc.Queries

// errRollback ends a transaction that was only a trial.
var errRollback = errors.New("roll back")

// now is the time of one operation, in what the database keeps of it.
func (s *Service) now() time.Time { return booking.Microseconds(s.Now()) }

// Get reads one booking of the actor's.
func (s *Service) Get(ctx context.Context, by booking.Actor, id uuid.UUID) (booking.Booking, error) {
	b, err := bookingdb.Get(ctx, s.Pool, id, by)
	return b, pgerror.Explain(err)
}

// inTx runs f in a transaction and publishes the entries that it returns after
// the commit. With validateOnly it rolls back instead.
func (s *Service) inTx(ctx context.Context, validateOnly bool, f func(pgx.Tx) ([]feed.Entry, error)) error {
	var entries []feed.Entry
	err := pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) (err error) {
		entries, err = f(tx)
		if err == nil && validateOnly {
			return errRollback
		}
		return err
	})
	switch {
	case errors.Is(err, errRollback):
		return nil
	case err != nil:
		return pgerror.Explain(err)
	}
	s.Feeds.Publish(entries)
	return nil
}

// newID makes a UUIDv7 (RFC 9562), which sorts by the time it was made.
func newID() (uuid.UUID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return id, fmt.Errorf("make a booking id: %w", err)
	}
	return id, nil
}
