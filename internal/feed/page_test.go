package feed_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/feed"
)

// counting is a database whose queries are counted.
type counting struct {
	sqlc.DBTX
	queries atomic.Int64
}

func (c *counting) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	c.queries.Add(1)
	return c.DBTX.Query(ctx, sql, args...)
}

func (c *counting) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	c.queries.Add(1)
	return c.DBTX.QueryRow(ctx, sql, args...)
}

func TestAtMostEightReadersReadFromPostgresAtOnce(t *testing.T) {
	t.Parallel()
	const readers, connections = 200, 40
	w, pool := newWriter(t)
	w.Fill(3 * feed.PageSize)
	all := w.IDs(w.Provider)
	config := pool.Config()
	config.MaxConns = connections
	wide, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(wide.Close)
	h := startHubOver(t, wide, nil, never)
	subscriptions := make([]*feed.Subscription, readers)
	for i := range subscriptions {
		subscriptions[i] = subscribe(t, h, w.Provider, new(feed.Point))
	}
	late := subscribe(t, h, w.Provider, new(feed.Point))

	// Nobody who reads entries gets on now.
	lock, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := lock.Exec(t.Context(), "LOCK TABLE feed_entries IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	records := make([]*reader, readers)
	for i, s := range subscriptions {
		records[i] = record(t, s)
	}
	waiting := func() int32 { return wide.Stat().AcquiredConns() }
	eventually(t, func() bool { return waiting() >= feed.MaxReading })
	for range 100 {
		if n := waiting(); n > feed.MaxReading {
			t.Fatalf("%d read at once", n)
		}
		// Others can still be served: this asks over the same pool.
		if err := wide.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// One that waits for its turn still ends with its context.
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := booking.Errorf(booking.ReasonTokenExpired, "over")
	ended := make(chan error)
	go func() {
		var err error
		for err == nil { // its first page may have been read with others', and be in memory
			_, err = late.Next(ctx)
		}
		ended <- err
	}()
	cancel(cause)
	if err := <-ended; !booking.IsReason(err, booking.ReasonTokenExpired) {
		t.Errorf("it ended with %v", err)
	}
	if err := lock.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		r.wants(all)
	}
}

// A feed whose newest entries are gone, as after a repair by hand or a damaged
// disk. Its readers once asked for them 16,000 times a second.
func TestAnEntryThatIsMissingInPostgresEndsItsReaders(t *testing.T) {
	t.Parallel()
	const heldBack, more = 10, 3
	for name, test := range map[string]struct {
		remove string
		// delivered is how many entries come before the missing one.
		delivered int
	}{
		"all":         {"sequence > 0", 0},
		"the first":   {"sequence = 1", 0},
		"the middle":  {"sequence = 5", 4},
		"the newest":  {"sequence = 10", 9},
		"a long tail": {"sequence > 3", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, pool := newWriter(t)
			w.Fill(heldBack)
			all := w.IDs(w.Provider)
			if _, err := pool.Exec(t.Context(), "DELETE FROM feed_entries WHERE role = 'provider' AND "+test.remove); err != nil {
				t.Fatal(err)
			}
			db := &counting{DBTX: pool}
			h := startHubOver(t, db, nil, never)
			r := follow(t, h, w.Provider, new(feed.Point))
			eventually(t, func() bool { _, err := r.state(); return err != nil })
			got, err := r.state()
			var told *booking.Error
			if !slices.Equal(got, all[:test.delivered]) || errors.As(err, &told) || !strings.Contains(err.Error(), "missing") {
				t.Errorf("after %d entries it ended with %v", len(got), err)
			}
			if queries := db.queries.Load(); queries > 10 {
				t.Errorf("PostgreSQL was asked %d times", queries)
			}
			if _, err := h.List(t.Context(), w.Provider, number(int64(test.delivered)), nil, heldBack); err == nil || errors.As(err, &told) {
				t.Errorf("the list answers %v", err)
			}
			// Who is not missing it is not disturbed.
			live := follow(t, h, w.Provider, nil)
			for range more {
				h.Publish(w.Write())
			}
			live.wants(w.IDs(w.Provider)[len(w.IDs(w.Provider))-more:])
		})
	}
}

// A reader that finds the ring short reads, and the others of its feed then find
// there what it has read.
func TestReadersOfAFeedReadAPageForEachOther(t *testing.T) {
	t.Parallel()
	const readers = 1000
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	records := make([]*reader, readers)
	for i := range records {
		records[i] = follow(t, h, w.Provider, nil)
	}
	h.Publish(w.Write())
	w.Fill(feed.PageSize / 2) // lost broadcasts
	h.Publish(w.Write())
	all := w.IDs(w.Provider)
	for _, r := range records {
		r.wants(all)
	}
	if pages := h.PagesRead(); pages > 2*feed.MaxReading {
		t.Errorf("%d pages were read for one gap", pages)
	}
}
