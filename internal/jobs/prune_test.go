package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"bookings/internal/booking"
	"bookings/internal/expire"
	"bookings/internal/feed"
	"bookings/internal/pgpool"
	"bookings/internal/pgtest"
	"bookings/internal/remind"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var (
	now       = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	retention = 30 * 24 * time.Hour
	old       = now.Add(-retention - time.Hour)
	young     = now.Add(-time.Hour)
	alice     = feed.Key{Role: booking.RoleCustomer, User: "alice"}
)

// fill gives alice a feed whose entries happened at these times.
func fill(t *testing.T, pool *pgxpool.Pool, times ...time.Time) {
	t.Helper()
	execute(t, pool, `INSERT INTO bookings (id, provider_id, customer_id, start_time, end_time, status, note, version, moves,
		reminder_due_time, reminder_state, create_time, update_time)
		VALUES (gen_random_uuid(), 'bob', 'alice', now(), now() + interval '1 hour', 'CONFIRMED', '', 1, 0, now(), 'SKIPPED', now(), now())`)
	execute(t, pool, `INSERT INTO feeds (role, user_id, oldest_time) VALUES ('customer', 'alice', '-infinity')`)
	for _, at := range times {
		execute(t, pool, `WITH event AS (
			INSERT INTO booking_events (id, booking_id, type, time, actor_role, actor_id, start_time, data)
			SELECT gen_random_uuid(), id, 'booking.confirmed', $1, 'provider', 'bob', start_time, '{}' FROM bookings
			RETURNING id
		), before AS (
			SELECT head, newest_id FROM feeds WHERE user_id = 'alice'
		), entry AS (
			INSERT INTO feed_entries (role, user_id, sequence, event_id, previous_id)
			SELECT 'customer', 'alice', before.head + 1, event.id, before.newest_id FROM before, event
		) UPDATE feeds SET head = feeds.head + 1, newest_id = event.id FROM event WHERE feeds.user_id = 'alice'`, at)
	}
}

func execute(t *testing.T, pool *pgxpool.Pool, statement string, args ...any) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

// kept are the numbers that are left, and how far the feed says it is pruned.
func kept(t *testing.T, pool *pgxpool.Pool) string {
	t.Helper()
	bounds, err := feed.ReadBounds(t.Context(), pool, alice, nil)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := feed.Read(t.Context(), pool, alice, bounds.PrunedThrough, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	numbers := []int64{}
	for _, entry := range entries {
		numbers = append(numbers, entry.Sequence)
	}
	if len(numbers) > 3 {
		numbers = append(numbers[:1], numbers[len(numbers)-1])
	}
	return fmt.Sprint(numbers, " pruned through ", bounds.PrunedThrough, " of ", bounds.Head.Sequence)
}

func TestAFeedLosesItsOldPrefixAndNothingElse(t *testing.T) {
	t.Parallel()
	many := slices.Repeat([]time.Time{old}, 2500)
	for name, test := range map[string]struct {
		times []time.Time
		want  string
	}{
		"nothing old":               {[]time.Time{young, young}, "[1 2] pruned through 0 of 2"},
		"old, then young":           {[]time.Time{old, old, young}, "[3] pruned through 2 of 3"},
		"all old":                   {[]time.Time{old, old}, "[] pruned through 2 of 2"},
		"an old one after a young":  {[]time.Time{old, young, old}, "[2 3] pruned through 1 of 3"},
		"more than one transaction": {append(many, young, young), "[2501 2502] pruned through 2500 of 2502"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := pgtest.New(t)
			fill(t, pool, test.times...)
			pruner := &Pruner{Pool: pgpool.Of(pool), Retention: retention, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
			for range 2 { // a second round finds nothing to do
				prune(t, pruner)
				if got := kept(t, pool); got != test.want {
					t.Errorf("kept %s, want %s", got, test.want)
				}
			}
		})
	}
}

// prune works rounds as River does, until there is nothing left to do.
func prune(t *testing.T, pruner *Pruner) {
	t.Helper()
	for {
		err := pruner.Work(t.Context(), nil)
		if _, again := errors.AsType[*river.JobSnoozeError](err); again {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
}

func TestAWorkingClientPrunesWhenItStarts(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits until River has elected a leader")
	}
	pool := pgtest.New(t)
	fill(t, pool, time.Now().Add(-2*retention))
	log := slog.New(slog.DiscardHandler)
	client, err := NewWorker(pgpool.Of(pool), log, time.Now,
		&remind.Worker{Pool: pgpool.Of(pool), Feeds: feed.NewHub(pool, nil, log), Log: log}, &expire.Worker{},
		&Pruner{Pool: pgpool.Of(pool), Retention: retention, Now: time.Now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Stop(context.Background()) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for kept(t, pool) != "[] pruned through 1 of 1" {
		select {
		case <-ctx.Done():
			t.Fatal("nothing was pruned")
		case <-time.After(20 * time.Millisecond):
		}
	}
}
