package remind

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingjob"
	"bookings/internal/gather"
)

// nobody owns the transactions of batches, as no single provider is the cause of their
// waiting. No user has this id.
const nobody = ""

// batch works many jobs in one transaction. It leaves those whose feeds somebody else
// has, or whose booking is not there; and all of them, where one stands in the way of
// the others: each is then worked alone.
func (w *Worker) batch(ctx context.Context, turns []*turn) {
	var all []*outcome
	err := gather.Recovering(func() error {
		return w.Pool.InTx(ctx, nobody, func(tx pgx.Tx) (err error) {
			all, err = inOneTransaction(ctx, tx, turns)
			return err
		})
	})
	if err != nil {
		w.Log.WarnContext(ctx, "a batch of reminders has failed: each of them is worked alone", "reminders", len(turns), "error", err)
		return
	}
	for _, o := range all {
		w.Feeds.Publish(o.entries)
		o.turn.came = o
	}
}

func inOneTransaction(ctx context.Context, tx pgx.Tx, turns []*turn) ([]*outcome, error) {
	byBooking := oneForEach(turns)
	locked, err := lockFeeds(ctx, tx, byBooking)
	if err != nil {
		return nil, err
	}
	all, err := remind(ctx, tx, byBooking, locked)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	done := make([]*river.Job[Args], len(all))
	for i, o := range all {
		done[i] = o.turn.job
	}
	return all, bookingjob.CompleteMany(ctx, tx, done, all[0].time)
}

// oneForEach are the turns by their bookings. A second one of a booking is left: it has
// to see what the first has done.
func oneForEach(turns []*turn) map[uuid.UUID]*turn {
	byBooking := make(map[uuid.UUID]*turn, len(turns))
	for _, t := range turns {
		if _, taken := byBooking[t.job.Args.BookingID]; !taken {
			byBooking[t.job.Args.BookingID] = t
		}
	}
	return byBooking
}

// parties are the users whose feeds are locked.
type parties struct{ providers, customers []string }

// lockFeeds locks the feeds that nobody has.
func lockFeeds(ctx context.Context, tx pgx.Tx, turns map[uuid.UUID]*turn) (locked parties, err error) {
	feeds, err := queries.ReminderLockFeeds(ctx, tx, bookings(turns))
	if err != nil {
		return parties{}, fmt.Errorf("lock feeds: %w", err)
	}
	for _, feed := range feeds {
		if feed.Role == string(booking.RoleProvider) {
			locked.providers = append(locked.providers, feed.UserID)
		} else {
			locked.customers = append(locked.customers, feed.UserID)
		}
	}
	return locked, nil
}

// read reads the bookings whose feeds are both locked, in the order of their ids.
func read(ctx context.Context, tx pgx.Tx, turns map[uuid.UUID]*turn, locked parties) ([]sqlc.ReminderReadRow, error) {
	rows, err := queries.ReminderRead(ctx, tx, sqlc.ReminderReadParams{
		Ids: bookings(turns), ProviderIds: locked.providers, CustomerIds: locked.customers,
	})
	if err != nil {
		return nil, fmt.Errorf("read bookings: %w", err)
	}
	return rows, nil
}

func bookings(turns map[uuid.UUID]*turn) []uuid.UUID {
	ids := make([]uuid.UUID, 0, len(turns))
	for id := range turns {
		ids = append(ids, id)
	}
	return ids
}
