package pgbatch

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// sender is the connection of a statement before the trip: it notes what is to
// be sent. The method's result is thrown away.
type sender struct {
	sql  string
	args []any
}

var errNotSent = errors.New("pgbatch: the statement has not been sent yet")

// Exec implements sqlc.DBTX.
func (s *sender) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	s.sql, s.args = sql, args
	return pgconn.CommandTag{}, errNotSent
}

// Query implements sqlc.DBTX.
func (s *sender) Query(_ context.Context, sql string, args ...any) (pgx.Rows, error) {
	s.sql, s.args = sql, args
	return nil, errNotSent
}

// QueryRow implements sqlc.DBTX.
func (s *sender) QueryRow(_ context.Context, sql string, args ...any) pgx.Row {
	s.sql, s.args = sql, args
	return noRow{}
}

type noRow struct{}

// Scan implements pgx.Row.
func (noRow) Scan(...any) error { return errNotSent }

// receiver is the connection of a statement after the trip: whatever it is
// asked, it has these rows.
type receiver struct{ rows pgx.Rows }

// Exec implements sqlc.DBTX.
func (r receiver) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	r.rows.Close()
	return r.rows.CommandTag(), r.rows.Err()
}

// Query implements sqlc.DBTX.
func (r receiver) Query(context.Context, string, ...any) (pgx.Rows, error) { return r.rows, nil }

// QueryRow implements sqlc.DBTX.
func (r receiver) QueryRow(context.Context, string, ...any) pgx.Row { return firstRow(r) }

// firstRow reads the first row, as pgx's QueryRow does.
type firstRow struct{ rows pgx.Rows }

// Scan implements pgx.Row.
func (f firstRow) Scan(dest ...any) error {
	defer f.rows.Close()
	if !f.rows.Next() {
		if err := f.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	return f.rows.Scan(dest...)
}
