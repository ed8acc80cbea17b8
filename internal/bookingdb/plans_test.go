package bookingdb_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/feed"
	"bookings/internal/pgbatch"
	"bookings/internal/pgtest"
)

// A plan for the few that there are looks cheaper than one for any number: PostgreSQL
// would make it anew each time, at the price of running it.
func TestStatementsOfSeveralBookingsAreNotPlannedEachTime(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	exec(t, pool, "INSERT INTO feeds (role, user_id) SELECT role, 'user-' || i FROM generate_series(1, 20000) AS i, unnest('{provider,customer}'::text[]) AS role")
	exec(t, pool, "ANALYZE feeds")
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	const times = 12 // PostgreSQL decides after five
	for turn := range times {
		runGroup(t, conn.Conn(), now.Add(time.Duration(turn)*time.Hour))
	}
	for _, name := range []string{"FeedLockFree", "BookingInsert", "FeedAppendMany"} {
		const plans = "SELECT coalesce(sum(custom_plans), -1) FROM pg_prepared_statements WHERE statement LIKE '-- name: ' || $1 || ' %'"
		if n := value[int](t, conn, plans, name); n < 0 || n > 5 {
			t.Errorf("%s was planned %d times", name, n)
		}
	}
	plan := pgtest.Plan(t, pool, func(db sqlc.DBTX) { _, _ = queries.FeedLockFree(t.Context(), db, sqlc.FeedLockFreeParams{}) })
	if !strings.Contains(plan, "feeds_pkey") || strings.Contains(plan, "Seq Scan") {
		t.Errorf("the plan is\n%s", plan)
	}
}

// runGroup runs the statements of a group of three.
func runGroup(t *testing.T, conn *pgx.Conn, start time.Time) {
	t.Helper()
	users := []string{"user-1", "user-2", "user-3"}
	if _, err := queries.FeedLockFree(t.Context(), conn, sqlc.FeedLockFreeParams{ProviderIds: users, CustomerIds: users}); err != nil {
		t.Fatal(err)
	}
	var params sqlc.BookingInsertParams
	events := make([]booking.Event, len(users))
	for i, user := range users {
		b := confirmed()
		b.ID, b.ProviderID, b.Slot = uuid.New(), user, booking.Slot{Start: start, End: start.Add(time.Hour)}
		bookingdb.AddInsert(&params, b, "", nil)
		events[i].BookingID = uuid.New() // is not there: nothing is written
	}
	if _, err := queries.BookingInsert(t.Context(), conn, params); err != nil {
		t.Fatal(err)
	}
	var batch pgbatch.Batch
	var entries [][]feed.Entry
	feed.AppendMany(&batch, events, &entries)
	if err := batch.Send(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
}
