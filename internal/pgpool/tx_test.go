package pgpool

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"bookings/internal/pgbatch"
)

const (
	addNote = "INSERT INTO notes (text) VALUES ($1)"
	fail    = "SELECT 1 / $1::integer"
)

// batchOf queues statements, of which each has one parameter.
func batchOf(parameter any, statements ...string) func(*pgbatch.Batch) error {
	return func(batch *pgbatch.Batch) error {
		for _, statement := range statements {
			batch.Queue(statement, parameter)
		}
		return nil
	}
}

func openNotes(t *testing.T, pooler bool) *Pool {
	t.Helper()
	pool := openNew(t)
	pool.Pooler = pooler
	execute(t, pool, "CREATE TABLE notes (id int, text text)")
	return pool
}

// PostgreSQL takes what is sent together for a transaction; behind a pooler it is
// begun and committed.
func TestABatchAsATransactionIsWrittenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	for _, pooler := range []bool{false, true} {
		t.Run(fmt.Sprintf("pooler %t", pooler), func(t *testing.T) {
			t.Parallel()
			pool := openNotes(t, pooler)
			if err := pool.AsTx(t.Context(), "ben", batchOf("0", addNote, fail, addNote)); err == nil {
				t.Error("it did not fail")
			}
			if n := notes(t, pool); n != 0 {
				t.Errorf("%d rows of a batch that failed", n)
			}
			refusal := errors.New("no")
			if err := pool.AsTx(t.Context(), "ben", func(*pgbatch.Batch) error { return refusal }); !errors.Is(err, refusal) {
				t.Error(err)
			}
			if err := pool.AsTx(t.Context(), "ben", batchOf("0", addNote, addNote)); err != nil || notes(t, pool) != 2 {
				t.Errorf("%d rows, %v", notes(t, pool), err)
			}
		})
	}
}

func TestATransactionThatBeginsWithABatchEndsAsOne(t *testing.T) {
	t.Parallel()
	refusal := errors.New("no")
	for _, pooler := range []bool{false, true} {
		for name, test := range map[string]struct {
			first []string
			f     error
			want  int
		}{
			"committed":       {[]string{addNote}, nil, 2},
			"refused":         {[]string{addNote}, refusal, 0},
			"failed at first": {[]string{addNote, fail}, nil, 0},
		} {
			t.Run(fmt.Sprintf("%s, pooler %t", name, pooler), func(t *testing.T) {
				t.Parallel()
				pool := openNotes(t, pooler)
				err := pool.InTxAfter(t.Context(), "ben", batchOf("0", test.first...), func(tx pgx.Tx) error {
					if _, err := tx.Exec(t.Context(), addNote, "0"); err != nil {
						return err
					}
					return test.f
				})
				if (err == nil) != (test.want > 0) || notes(t, pool) != test.want {
					t.Errorf("%d rows, %v", notes(t, pool), err)
				}
				if busy := pool.Stat().AcquiredConns(); busy != 0 || len(pool.places.owners) != 0 {
					t.Errorf("%d connections and the places of %d are held", busy, len(pool.places.owners))
				}
			})
		}
	}
}

// What a try has queued is of no use to the next.
func TestABatchIsTriedAgainOnAConnectionWhoseStatementsAreStale(t *testing.T) {
	t.Parallel()
	for name, spoil := range staleness {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := stale(t, spoil, readAll, write)
			before := notes(t, pool)
			if err := pool.AsTx(t.Context(), "ben", batchOf(nil, write, readAll)); err != nil {
				t.Error(err)
			}
			nothing := func(pgx.Tx) error { return nil }
			if err := pool.InTxAfter(t.Context(), "ben", batchOf(nil, readAll, write), nothing); err != nil {
				t.Error(err)
			}
			if n := notes(t, pool) - before; n != 2 {
				t.Errorf("%d rows more", n)
			}
		})
	}
}
