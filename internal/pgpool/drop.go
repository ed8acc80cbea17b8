package pgpool

import (
	"context"
	"errors"
	"fmt"
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

func newDropper() *dropper { return &dropper{often: rate.Sometimes{Interval: dropInterval}} }

// onError is told every error that PostgreSQL answers, and tells whether the
// connection is kept. One whose prepared statements the server does not know, or
// cannot use any more, fails with each of them in turn, and a table that was
// changed makes all connections so: new ones have no such statements. One whose
// server takes no writes any more, or is going away, is of no use either; nor are
// the others, that lead to the same server. New ones go to the primary where the
// URL names several hosts and target_session_attrs=read-write.
func (d *dropper) onError(_ *pgconn.PgConn, err *pgconn.PgError) bool {
	if pgerror.Stale(err) || pgerror.NoPrimary(err) {
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

// ErrReadOnly tells that a server answers and takes no writes.
var ErrReadOnly = errors.New("PostgreSQL takes no writes")

// CheckWritable asks whether the server takes writes. It fails with ErrReadOnly
// where it does not: a standby, or a primary that was made read-only. The
// connections are then dropped, so that the next question may find another
// server, also where nobody writes because of this answer.
func (p *Pool) CheckWritable(ctx context.Context) error {
	var readOnly bool
	err := p.QueryRow(ctx, "SELECT current_setting('transaction_read_only')::bool").Scan(&readOnly)
	switch {
	case err != nil:
		return fmt.Errorf("ask whether PostgreSQL takes writes: %w", err)
	case readOnly:
		p.drop.dropAll()
		return ErrReadOnly
	}
	return nil
}
