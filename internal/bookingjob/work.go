// Package bookingjob is what all jobs about one booking have in common: how they
// take its locks and are completed, and how they are taken back.
package bookingjob

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/feed"
	"bookings/internal/pgpool"
)

// Work does what a job is to do with a booking, once: what f writes and the job's
// completion are one transaction, so that a worker that dies leaves either all of it
// or a job that is tried again. The entries that f returns are published after it.
//
// It takes the locks that every change takes, and f decides by the booking as it is
// then: whatever changed it since the job was made has either been committed, and is
// seen, or waits for this. f may be called again.
func Work[T river.JobArgs](
	ctx context.Context, pool *pgpool.Pool, feeds *feed.Hub, job *river.Job[T], id uuid.UUID,
	f func(pgx.Tx, booking.Booking) ([]feed.Entry, error),
) error {
	parties, err := bookingdb.ReadParties(ctx, pool, id, booking.Internal)
	if err != nil {
		return err
	}
	var entries []feed.Entry
	err = pool.InTx(ctx, parties.ProviderID, func(tx pgx.Tx) error {
		b, err := bookingdb.Lock(ctx, tx, parties)
		if err != nil {
			return err
		}
		if entries, err = f(tx, b); err != nil {
			return err
		}
		if _, err := river.JobCompleteTx[*riverpgxv5.Driver](ctx, tx, job); err != nil {
			return fmt.Errorf("complete the job: %w", err)
		}
		return nil
	})
	if err == nil {
		feeds.Publish(entries)
	}
	return err
}
