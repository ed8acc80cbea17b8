package pgpool

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// InTx runs f in a transaction. Where that fails for a reason that passes (a
// deadlock, a prepared statement that the server has forgotten) all of it is run
// again, three times at most, so f must begin anew each time that it is called.
//
// Transactions of one owner hold at most a quarter of the pool. The owner is who
// is the cause of waiting: here the provider, whose feed's lock all writers of
// its bookings take. It fails with DATABASE_UNAVAILABLE where the owner's others
// do not end in time.
func (p *Pool) InTx(ctx context.Context, owner string, f func(pgx.Tx) error) error {
	giveBack, err := p.places.take(ctx, owner)
	if err != nil {
		return err
	}
	defer giveBack()
	return retry(ctx, func() error { return pgx.BeginTxFunc(ctx, p.Pool, p.begin, f) })
}
