package pgpool

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// InTx runs f in a transaction. Where that fails for a reason that passes (a
// deadlock, a prepared statement that the server has forgotten) all of it is run
// again, three times at most, so f must begin anew each time that it is called.
func (p *Pool) InTx(ctx context.Context, f func(pgx.Tx) error) error {
	return retry(ctx, func() error { return pgx.BeginTxFunc(ctx, p.Pool, p.begin, f) })
}
