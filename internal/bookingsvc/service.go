// Package bookingsvc holds the use cases, one file each. A use case that writes
// is one transaction: it takes the locks (bookingdb.Lock), asks package booking
// what the rules say, writes the booking, its event and its reminder's job, and
// publishes the event after the commit. Under load several creates are one.
package bookingsvc

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/feed"
	"bookings/internal/gather"
	"bookings/internal/pgbatch"
	"bookings/internal/pgerror"
	"bookings/internal/pgpool"
)

// Service is what all use cases need.
type Service struct {
	Pool  *pgpool.Pool
	Jobs  *river.Client[pgx.Tx]
	Feeds *feed.Hub
	Log   *slog.Logger
	Now   func() time.Time
	Terms booking.Terms
	// MaxPending is how many PENDING bookings with a future end a customer
	// may have at one provider.
	MaxPending int64

	alone  atomic.Int64          // how many new bookings are written alone, or wait to be
	groups gather.Queue[*member] // new bookings that are written together
}

var queries sqlc.Queries

// errRollback ends a transaction that is to leave nothing behind and has not
// failed: a trial, or a replay.
var errRollback = errors.New("roll back")

// now is the time of one operation, cut to what the database keeps of it: a
// booking is answered as it will be read.
func (s *Service) now() time.Time { return booking.Microseconds(s.Now()) }

// Get reads one booking of the actor's.
func (s *Service) Get(ctx context.Context, by booking.Actor, id uuid.UUID) (booking.Booking, error) {
	b, err := bookingdb.Get(ctx, s.Pool, id, by)
	return b, pgerror.Explain(err)
}

// inTx runs the first statements of a transaction, then f, and publishes the entries
// that f returns, after the commit: readers must not be told what might not happen.
// Publishing never waits and cannot fail the call, as feeds heal by themselves. Where f
// returns errRollback, nothing stays, nobody is told, and all is well. first and f may
// be called again (pgpool.Pool.InTx), and the provider's other transactions come first.
func (s *Service) inTx(ctx context.Context, providerID string, first func(*pgbatch.Batch) error, f func(pgx.Tx) ([]feed.Entry, error)) error {
	var entries []feed.Entry
	err := s.Pool.InTxAfter(ctx, providerID, first, func(tx pgx.Tx) (err error) {
		entries, err = f(tx)
		return err
	})
	switch {
	case errors.Is(err, errRollback):
		return nil
	case err != nil:
		return pgerror.Explain(bookingdb.NotFound(err))
	}
	s.Feeds.Publish(entries)
	return nil
}
