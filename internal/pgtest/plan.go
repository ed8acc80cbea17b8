package pgtest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/gen/sqlc"
)

// Plan is how PostgreSQL would run the statement that query sends, a line for
// each node: a plan for values that it does not know, as for a statement that
// has been prepared for long.
func Plan(t testing.TB, pool *pgxpool.Pool, query func(sqlc.DBTX)) string {
	t.Helper()
	var sent sentStatement
	query(&sent)
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
	if _, err := tx.Exec(t.Context(), "PREPARE planned AS "+sent.sql); err != nil {
		t.Fatal("pgtest: ", err)
	}
	unknown := strings.TrimSuffix(strings.Repeat("NULL, ", len(sent.args)), ", ")
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

// sentStatement notes what is sent, and answers nothing.
type sentStatement struct {
	sql  string
	args []any
}

var errNoted = errors.New("pgtest: the statement was noted, not run")

// Exec implements sqlc.DBTX.
func (s *sentStatement) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	s.sql, s.args = sql, args
	return pgconn.CommandTag{}, errNoted
}

// Query implements sqlc.DBTX.
func (s *sentStatement) Query(_ context.Context, sql string, args ...any) (pgx.Rows, error) {
	s.sql, s.args = sql, args
	return nil, errNoted
}

// QueryRow implements sqlc.DBTX.
func (s *sentStatement) QueryRow(_ context.Context, sql string, args ...any) pgx.Row {
	s.sql, s.args = sql, args
	return noted{}
}

type noted struct{}

// Scan implements pgx.Row.
func (noted) Scan(...any) error { return errNoted }
