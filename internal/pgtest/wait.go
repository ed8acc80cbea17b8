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

// EventuallyBlocks waits until somebody waits for a transaction's locks.
func EventuallyBlocks(t testing.TB, pool *pgxpool.Pool, tx pgx.Tx) {
	t.Helper()
	const waiting = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid)))"
	pid := int32(tx.Conn().PgConn().PID())
	Eventually(t, "somebody who waits for a lock", func() bool {
		var blocks bool
		if err := pool.QueryRow(t.Context(), waiting, pid).Scan(&blocks); err != nil {
			t.Fatal("pgtest: ", err)
		}
		return blocks
	})
}
