package pgpool

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/internal/booking"
	"bookings/internal/pgerror"
	"bookings/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func openNew(t *testing.T) *Pool {
	t.Helper()
	pool, err := Open(t.Context(), pgtest.URL(t), false, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// pgx's own pool, so that nothing is tried again behind the test's back.
func execute(t *testing.T, pool *Pool, sql string) {
	t.Helper()
	if _, err := pool.Pool.Exec(context.WithoutCancel(t.Context()), sql); err != nil {
		t.Fatal(err)
	}
}

// staleness are the ways in which a connection's prepared statements stop to fit
// what the server has. Behind a pooler 26000 and 42P05 are everyday.
var staleness = map[string]string{
	"0A000, a column more":     "ALTER TABLE notes ADD COLUMN more text",
	"0A000, another type":      "ALTER TABLE notes ALTER COLUMN id TYPE bigint",
	"26000, DISCARD ALL":       "DISCARD ALL",
	"26000, DEALLOCATE ALL":    "DEALLOCATE ALL",
	"0A000, a table made anew": "DROP TABLE notes; CREATE TABLE notes (id text, text text); INSERT INTO notes VALUES ('1')",
}

// stale is a pool of one connection that knows these statements, and has just
// stopped to know them.
func stale(t *testing.T, spoil string, statements ...string) *Pool {
	t.Helper()
	pool := openNew(t)
	execute(t, pool, "CREATE TABLE notes (id int, text text); INSERT INTO notes VALUES (1)")
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := conn.Exec(t.Context(), statement, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := conn.Exec(t.Context(), spoil); err != nil {
		t.Fatal(err)
	}
	conn.Release()
	return pool
}

const (
	readAll = "SELECT * FROM notes WHERE text IS NOT DISTINCT FROM $1" //nolint:unqueryvet // its columns change
	readOne = "SELECT text FROM notes WHERE text IS NOT DISTINCT FROM $1"
	write   = "INSERT INTO notes (text) VALUES ($1) RETURNING *"
)

func TestAReadIsTriedAgainOnAConnectionWhoseStatementsAreStale(t *testing.T) {
	t.Parallel()
	for name, spoil := range staleness {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := stale(t, spoil, readAll)
			rows, err := pool.Query(t.Context(), readAll, nil)
			if err != nil {
				t.Fatal(err)
			}
			if n := count(rows); n != 1 || rows.Err() != nil {
				t.Errorf("%d rows, %v", n, rows.Err())
			}
			pool = stale(t, spoil, readOne)
			var text *string
			if err := pool.QueryRow(t.Context(), readOne, nil).Scan(&text); err != nil {
				t.Error(err)
			}
			pool = stale(t, spoil, write)
			if tag, err := pool.Exec(t.Context(), write, nil); err != nil || tag.RowsAffected() != 1 {
				t.Error(tag, err)
			}
		})
	}
}

func count(rows pgx.Rows) (n int) {
	defer rows.Close()
	for rows.Next() {
		n++
	}
	return n
}

func notes(t *testing.T, pool *Pool) (n int) {
	t.Helper()
	if err := pool.Pool.QueryRow(t.Context(), "SELECT count(*) FROM notes").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Each statement of the transaction is stale: one at a time would take more than
// three tries.
func TestATransactionIsTriedAgainOnAConnectionWhoseStatementsAreStale(t *testing.T) {
	t.Parallel()
	for name, spoil := range staleness {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			statements := []string{readAll, write}
			for i := range 5 {
				statements = append(statements, fmt.Sprintf("SELECT %d, * FROM notes WHERE text = $1", i))
			}
			pool := stale(t, spoil, statements...)
			before := notes(t, pool)
			err := pool.InTx(t.Context(), "ben", func(tx pgx.Tx) error {
				for _, statement := range statements {
					if _, err := tx.Exec(t.Context(), statement, nil); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			if n := notes(t, pool) - before; n != 1 {
				t.Errorf("%d rows more", n)
			}
		})
	}
}

// A migration makes all connections stale: three tries on three of them would
// not do.
func TestAChangedTableIsNoticedOnceNotByEachConnection(t *testing.T) {
	t.Parallel()
	pool := openNew(t)
	execute(t, pool, "CREATE TABLE notes (id int, text text); INSERT INTO notes VALUES (1)")
	var warm []*pgxpool.Conn
	for range 10 {
		conn, err := pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), readAll, nil); err != nil {
			t.Fatal(err)
		}
		warm = append(warm, conn)
	}
	for _, conn := range warm {
		conn.Release()
	}
	execute(t, pool, "ALTER TABLE notes ADD COLUMN more text")
	if _, err := pool.Exec(t.Context(), readAll, nil); err != nil {
		t.Error(err)
	}
}

// Two transactions lock two rows in two orders: PostgreSQL ends one of them, and
// both get what they want.
func TestATransactionThatADeadlockHasEndedIsTriedAgain(t *testing.T) {
	t.Parallel()
	pool := openNew(t)
	execute(t, pool, "CREATE TABLE rows (id int PRIMARY KEY, n int); INSERT INTO rows VALUES (1, 0), (2, 0)")
	var both, done sync.WaitGroup
	both.Add(2)
	calls := make(chan struct{}, 10)
	for _, order := range [][2]int{{1, 2}, {2, 1}} {
		done.Go(func() {
			first := true
			err := pool.InTx(t.Context(), "ben", func(tx pgx.Tx) error {
				calls <- struct{}{}
				for i, id := range order {
					if _, err := tx.Exec(t.Context(), "UPDATE rows SET n = n + 1 WHERE id = $1", id); err != nil {
						return err
					}
					if i == 0 && first {
						first = false
						both.Done()
						both.Wait()
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	var sum int
	if err := pool.QueryRow(t.Context(), "SELECT sum(n) FROM rows").Scan(&sum); err != nil || sum != 4 || len(calls) != 3 {
		t.Errorf("the sum is %d after %d calls, %v", sum, len(calls), err)
	}
}

// What fails each time ends after three tries, as a database that is away.
func TestATransactionIsTriedThreeTimesAtMost(t *testing.T) {
	t.Parallel()
	pool := openNew(t)
	for _, code := range []string{"40P01", "40001", "26000", "42P05"} {
		calls := 0
		err := pool.InTx(t.Context(), "ben", func(tx pgx.Tx) error {
			calls++
			_, err := tx.Exec(t.Context(), "DO $$ BEGIN RAISE 'again' USING ERRCODE = '"+code+"'; END $$")
			return err
		})
		if calls != 3 || !booking.IsReason(pgerror.Explain(err), booking.ReasonDatabaseUnavailable) {
			t.Errorf("%s: %v after %d calls", code, pgerror.Explain(err), calls)
		}
	}
}

func TestWhatDoesNotPassIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	pool := openNew(t)
	for _, sql := range []string{"SELECT 1/0", "DO $$ BEGIN RAISE 'no' USING ERRCODE = '0A000'; END $$"} {
		calls := 0
		err := pool.InTx(t.Context(), "ben", func(tx pgx.Tx) error {
			calls++
			_, err := tx.Exec(t.Context(), sql)
			return err
		})
		if calls != 1 || pgerror.Explain(err) != err { //nolint:errorlint // the very same
			t.Errorf("%s: %v after %d calls", sql, err, calls)
		}
	}
}
