package bookingdb_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"bookings/gen/sqlc"
	"bookings/internal/pgtest"
)

// The order of a locale changes with the system's library, and an index in that
// order is broken then.
func TestNoIndexIsOrderedByALocale(t *testing.T) {
	t.Parallel()
	got := value[[]string](t, pgtest.New(t), `
		SELECT coalesce(array_agg(DISTINCT indexrelid::regclass::text), '{}')
		FROM pg_index, unnest(indcollation) AS ordered
		WHERE indrelid = ANY ($1::regclass[]) AND ordered <> 0 AND ordered <> '"C"'::regcollation`, slices.Sorted(maps.Keys(good)))
	if len(got) > 0 {
		t.Errorf("these are: %v", got)
	}
}

func TestEveryColumnOfAUsersIDIsInTheOrderOfItsBytes(t *testing.T) {
	t.Parallel()
	got := value[[]string](t, pgtest.New(t), `
		SELECT array_agg(attrelid::regclass || '.' || attname ORDER BY 1) FROM pg_attribute
		WHERE attrelid = ANY ($1::regclass[]) AND attcollation = '"C"'::regcollation AND attname LIKE '%\_id'`, slices.Sorted(maps.Keys(good)))
	slices.Sort(got)
	want := []string{"booking_events.actor_id", "bookings.customer_id", "bookings.provider_id", "feed_entries.user_id", "feeds.user_id"}
	if !slices.Equal(got, want) {
		t.Errorf("they are %v, not %v", got, want)
	}
}

// A provider's other bookings, which may be thousands, are not read.
func TestPendingBookingsAreCountedByTheirOwnIndex(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	exec(t, pool, `
		INSERT INTO bookings (id, provider_id, customer_id, start_time, end_time, status, note, version, moves,
			reminder_due_time, reminder_state, create_time, update_time)
		SELECT gen_random_uuid(), 'ben', 'anna', at, at + interval '1 hour', 'CONFIRMED', '', 1, 0, at, 'SKIPPED', now(), now()
		FROM generate_series(now(), now() + interval '2000 hours', interval '1 hour') AS at`)
	exec(t, pool, "ANALYZE bookings")
	plan := pgtest.Plan(t, pool, func(db sqlc.DBTX) {
		_, _ = queries.BookingCountPending(t.Context(), db, sqlc.BookingCountPendingParams{})
	})
	if !strings.Contains(plan, "using bookings_pending_idx") || strings.Contains(plan, "Seq Scan") {
		t.Errorf("the plan is\n%s", plan)
	}
}
