package pgtest

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// waitAtMost is far more than anything here takes, also on a busy machine.
	waitAtMost = 30 * time.Second
	lookEvery  = 2 * time.Millisecond
)

// Eventually waits until something holds, and fails the test where it never
// does.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitAtMost)
	defer cancel()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatal("pgtest: waited in vain: ", what)
		}
	}
}

// EventuallyBlocked waits until a transaction waits for another's lock.
func EventuallyBlocked(t testing.TB, pool *pgxpool.Pool, tx pgx.Tx) {
	t.Helper()
	pid := tx.Conn().PgConn().PID()
	Eventually(t, "a transaction that waits for a lock", func() bool {
		var blocked bool
		err := pool.QueryRow(t.Context(), "SELECT cardinality(pg_blocking_pids($1)) > 0", pid).Scan(&blocked)
		if err != nil {
			t.Fatal("pgtest: ", err)
		}
		return blocked
	})
}
