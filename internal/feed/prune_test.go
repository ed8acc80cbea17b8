package feed_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/gen/sqlc"
	"bookings/internal/feed"
	"bookings/internal/pgtest"
)

// retained is an age that the entries of manyFeeds do not have yet.
const retained = time.Hour

// manyFeeds makes feeds of other users with an entry each, which happened now.
func manyFeeds(t *testing.T, pool *pgxpool.Pool, n int) {
	t.Helper()
	for _, sql := range []string{
		`WITH event AS (
			INSERT INTO booking_events (id, booking_id, type, time, actor_role, actor_id, start_time, data)
			SELECT gen_random_uuid(), bookings.id, 'booking.confirmed', now(), 'internal', '', now(), '{}'
			FROM bookings, generate_series(1, $1::int) RETURNING id
		), entry AS (
			INSERT INTO feed_entries (role, user_id, sequence, event_id)
			SELECT 'customer', 'one of many ' || row_number() OVER (), 1, id FROM event
			RETURNING role, user_id, sequence, event_id
		) INSERT INTO feeds (role, user_id, head, newest_id) SELECT role, user_id, sequence, event_id FROM entry`,
	} {
		if _, err := pool.Exec(t.Context(), sql, n); err != nil {
			t.Fatal(err)
		}
	}
	analyze(t, pool)
}

func analyze(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), "ANALYZE"); err != nil {
		t.Fatal(err)
	}
}

func TestPruningReadsNoFeedInWhichNothingIsOld(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes 100,000 feeds")
	}
	_, pool := newWriter(t)
	manyFeeds(t, pool, 100_000)
	before := time.Now().Add(-retained)
	plan := pgtest.Plan(t, pool, func(db sqlc.DBTX) { _, _, _ = feed.Prune(t.Context(), db, before) })
	if !strings.Contains(plan, "Index Scan using feeds_oldest_idx") || strings.Contains(plan, "Seq Scan") {
		t.Errorf("the plan is\n%s", plan)
	}
	if removed, more, err := feed.Prune(t.Context(), pool, before); removed != 0 || more || err != nil {
		t.Errorf("removed %d, more: %t, %v", removed, more, err)
	}
}

// A round of all: what is young, what is empty, and what was there before there
// was an index, which all feeds are at first.
func TestPruningLooksAtAFeedOnceUntilItIsOldAgain(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	w.Fill(3)
	manyFeeds(t, pool, 500)
	if _, err := pool.Exec(t.Context(), "UPDATE feeds SET oldest_time = '-infinity'"); err != nil {
		t.Fatal(err)
	}
	before := time.Now().Add(-retained)
	if removed, more, err := feed.Prune(t.Context(), pool, before); removed != 2*3 || more || err != nil {
		t.Errorf("removed %d, more: %t, %v", removed, more, err)
	}
	wantsLookedAt(t, pool, before, 0)
	wantsLookedAt(t, pool, time.Now(), 500+2+1) // and they are found once they are old, that of everything too
	if head := w.Write()[0].Sequence; head != 4 {
		t.Errorf("after 3 that are gone comes %d", head)
	}
	if removed, _, err := feed.Prune(t.Context(), pool, time.Now()); removed != 500+2 || err != nil {
		t.Errorf("later removed %d, %v", removed, err)
	}
}

// wantsLookedAt checks how many feeds a round would look at.
func wantsLookedAt(t *testing.T, pool *pgxpool.Pool, before time.Time, want int) {
	t.Helper()
	var n int
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM feeds WHERE oldest_time < $1", before).Scan(&n); err != nil || n != want {
		t.Errorf("%d feeds would be looked at, not %d, %v", n, want, err)
	}
}

// Pruning would wait for many locks, while those who hold them wait for its own.
func TestPruningWaitsForNobody(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	w.Fill(3)
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "UPDATE feeds SET head = head WHERE role = 'provider'"); err != nil {
		t.Fatal(err)
	}
	if removed, _, err := feed.Prune(t.Context(), pool, time.Now()); removed != 3 || err != nil {
		t.Errorf("removed %d beside a lock, %v", removed, err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if removed, _, err := feed.Prune(t.Context(), pool, time.Now()); removed != 3 || err != nil {
		t.Errorf("removed %d once it was let go, %v", removed, err)
	}
}

// What writers change stands in no index, so that PostgreSQL need not touch any.
func TestAppendingToAFeedTouchesNoIndexOfFeeds(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	for range 50 {
		w.Write()
	}
	pgtest.Eventually(t, "counted updates", func() bool {
		var updates, hot int
		const counted = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'feeds'"
		if err := pool.QueryRow(t.Context(), counted).Scan(&updates, &hot); err != nil {
			t.Fatal(err)
		}
		return updates >= 100 && hot >= updates*9/10
	})
}
