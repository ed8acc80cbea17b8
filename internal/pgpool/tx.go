package pgpool

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bookings/internal/pgbatch"
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
	return p.asOwner(ctx, owner, func() error { return pgx.BeginTxFunc(ctx, p.Pool, p.begin, f) })
}

// InTxAfter is InTx for a transaction whose first statements are known before it
// begins: they are queued anew for each try, and go out with its BEGIN in one round trip.
func (p *Pool) InTxAfter(ctx context.Context, owner string, first func(*pgbatch.Batch) error, f func(pgx.Tx) error) error {
	return p.asOwner(ctx, owner, func() error { return p.TryAfter(ctx, first, f) })
}

// TryAfter is one try of InTxAfter. By itself it is of no owner, and must not wait
// for locks.
func (p *Pool) TryAfter(ctx context.Context, first func(*pgbatch.Batch) error, f func(pgx.Tx) error) error {
	if p.Pooler { // its BEGIN is several statements
		return pgx.BeginTxFunc(ctx, p.Pool, p.begin, func(tx pgx.Tx) error {
			if err := send(ctx, tx, first); err != nil {
				return err
			}
			return f(tx)
		})
	}
	var batch pgbatch.Batch
	if err := first(&batch); err != nil {
		return err
	}
	tx, err := batch.Begin(ctx, p.Pool)
	if err != nil {
		return err
	}
	return finish(ctx, tx, f)
}

// finish ends a transaction by what becomes of f.
func finish(ctx context.Context, tx pgx.Tx, f func(pgx.Tx) error) error {
	// After a commit this does nothing. Where the context has ended, or f panics, it
	// closes the connection or gives it back.
	defer func() { _ = tx.Rollback(ctx) }()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// AsTx runs a batch as one transaction, as InTx runs a function, in one round trip
// with BEGIN and COMMIT included. So it commits whatever no statement fails for:
// conditions have to be in the statements. They are queued anew for each try.
func (p *Pool) AsTx(ctx context.Context, owner string, statements func(*pgbatch.Batch) error) error {
	if p.Pooler { // only a transaction that is begun has bounds
		return p.InTx(ctx, owner, func(tx pgx.Tx) error { return send(ctx, tx, statements) })
	}
	return p.asOwner(ctx, owner, func() error { return send(ctx, p.Pool, statements) })
}

// Busy reports whether a transaction of an owner's is under way, or waits to be.
func (p *Pool) Busy(owner string) bool { return p.places.has(owner) }

func send(ctx context.Context, db pgbatch.Sender, statements func(*pgbatch.Batch) error) error {
	var batch pgbatch.Batch
	if err := statements(&batch); err != nil {
		return err
	}
	return batch.Send(ctx, db)
}

// asOwner runs a transaction, and again where that helps, in one of its owner's places.
func (p *Pool) asOwner(ctx context.Context, owner string, transaction func() error) error {
	giveBack, err := p.places.take(ctx, owner)
	if err != nil {
		return err
	}
	defer giveBack()
	return retry(ctx, transaction)
}
