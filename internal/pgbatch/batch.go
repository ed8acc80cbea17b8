// Package pgbatch sends several of sqlc's statements to PostgreSQL in one round
// trip. sqlc itself batches one statement with many parameters only.
//
// The generated methods stay in use: they know the order of their parameters
// and how their rows are read, so neither is written, or got wrong, a second
// time. A method is called twice, each time on something else than a
// connection: before the trip, to learn what it would send; after it, to make
// its result of the rows that have come.
package pgbatch

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/gen/sqlc"
)

// Batch is the statements of one round trip, in their order. The zero value is
// empty; it is sent once.
type Batch struct{ queued pgx.Batch }

// offline is the context of a method that only seems to reach the server.
var offline = context.Background()

// Query adds a statement. done gets its result once the batch has run; a batch
// that fails before the statement leaves it uncalled.
//
// done returns no error, on purpose: it notes what it gets, and the caller
// decides after Send. pgx takes an error from a batch, also one of ours, for a
// sign that the connection's prepared statements are no longer good and drops
// them, so that the next batch on that connection is two round trips longer.
func Query[P, R any](b *Batch, statement func(context.Context, sqlc.DBTX, P) (R, error), params P, done func(R)) {
	sql, args := Capture(func(db sqlc.DBTX) { _, _ = statement(offline, db, params) })
	b.queued.Queue(sql, args...).Query(func(rows pgx.Rows) error {
		result, err := statement(offline, receiver{rows}, params)
		if err == nil {
			done(result)
		}
		return err
	})
}

// Exec adds a statement that has no result.
func Exec[P any](b *Batch, statement func(context.Context, sqlc.DBTX, P) error, params P) {
	sql, args := Capture(func(db sqlc.DBTX) { _ = statement(offline, db, params) })
	b.queued.Queue(sql, args...)
}

// Queue adds a statement that sqlc does not know, without its result.
func (b *Batch) Queue(sql string, args ...any) { b.queued.Queue(sql, args...) }

// Join adds the statements of another batch, which is not sent itself.
func (b *Batch) Join(other *Batch) {
	b.queued.QueuedQueries = append(b.queued.QueuedQueries, other.queued.QueuedQueries...)
}

// Capture is what a generated method would send, without sending it. What call
// gets as its result means nothing.
func Capture(call func(sqlc.DBTX)) (sql string, args []any) {
	var sent sender
	call(&sent)
	return sent.sql, sent.args
}

// Sender is a pool, a connection or a transaction.
type Sender interface {
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
}

// Send runs the statements and returns the first error of any. On a pool, or on a
// connection without a transaction, they are one of their own: PostgreSQL commits
// once all have run, and nothing where one has failed ("Pipelining" in its manual's
// chapter on the protocol).
func (b *Batch) Send(ctx context.Context, db Sender) error {
	return db.SendBatch(ctx, &b.queued).Close()
}

// Begin runs the statements as the first ones of a transaction, which goes on where
// none has failed.
func (b *Batch) Begin(ctx context.Context, pool *pgxpool.Pool) (pgx.Tx, error) {
	var begun pgx.Batch
	begun.BeginTx(pgx.TxOptions{})
	begun.QueuedQueries = append(begun.QueuedQueries, b.queued.QueuedQueries...)
	results := pool.SendBatch(ctx, &begun)
	tx := results.Tx()
	if err := results.Close(); err != nil {
		_ = tx.Rollback(context.WithoutCancel(ctx)) // gives the connection back
		return nil, err
	}
	return tx, nil
}
