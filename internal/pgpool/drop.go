package pgpool

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/time/rate"

	"bookings/internal/pgerror"
)

// dropInterval is how often all connections are dropped at most: where new ones
// are no better, each call would make one more.
const dropInterval = time.Second

// dropper closes connections that are of no more use.
type dropper struct {
	pool  atomic.Pointer[pgxpool.Pool]
	often rate.Sometimes
}

// onError is told every error that PostgreSQL answers, and tells whether the
// connection is kept. One whose prepared statements the server does not know, or
// cannot use any more, fails with each of them in turn, and a table that was
// changed makes all connections so: new ones have no such statements.
func (d *dropper) onError(_ *pgconn.PgConn, err *pgconn.PgError) bool {
	if pgerror.Stale(err) {
		d.dropAll()
		return false
	}
	return !strings.EqualFold(err.Severity, "FATAL") // as pgx has it
}

// dropAll closes the idle connections now, and those in use when they are given
// back.
func (d *dropper) dropAll() {
	if pool := d.pool.Load(); pool != nil {
		d.often.Do(pool.Reset)
	}
}
