package pgtest

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/gen/sqlc"
	"bookings/internal/pgbatch"
)

// Plan is how PostgreSQL would run the statement that query sends, a line for
// each node: a plan for values that it does not know, as for a statement that
// has been prepared for long.
func Plan(t testing.TB, pool *pgxpool.Pool, query func(sqlc.DBTX)) string {
	t.Helper()
	sql, args := pgbatch.Capture(query)
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal("pgtest: ", err)
	}
	defer func() {
		_, _ = tx.Exec(t.Context(), "DEALLOCATE planned")
		_ = tx.Rollback(context.WithoutCancel(t.Context()))
	}()
	if _, err := tx.Exec(t.Context(), "SET LOCAL plan_cache_mode = force_generic_plan"); err != nil {
		t.Fatal("pgtest: ", err)
	}
	if _, err := tx.Exec(t.Context(), "PREPARE planned AS "+sql); err != nil {
		t.Fatal("pgtest: ", err)
	}
	unknown := strings.TrimSuffix(strings.Repeat("NULL, ", len(args)), ", ")
	rows, err := tx.Query(t.Context(), "EXPLAIN (COSTS off) EXECUTE planned ("+unknown+")")
	if err != nil {
		t.Fatal("pgtest: ", err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal("pgtest: ", err)
	}
	return strings.Join(lines, "\n")
}
