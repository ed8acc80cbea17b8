package pgpool

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Exec implements sqlc.DBTX.
func (p *Pool) Exec(ctx context.Context, sql string, args ...any) (tag pgconn.CommandTag, err error) {
	err = retry(ctx, func() error {
		tag, err = p.Pool.Exec(ctx, sql, args...)
		return err
	})
	return tag, err
}

// Query implements sqlc.DBTX. A statement fails for a reason that passes before
// its first row, so that row is looked for here.
func (p *Pool) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	var rows pgx.Rows
	err := retry(ctx, func() (err error) {
		if rows, err = p.Pool.Query(ctx, sql, args...); err != nil { //nolint:sqlclosecheck // the caller does
			return err
		}
		begun := &begunRows{Rows: rows, first: rows.Next()}
		rows = begun
		return begun.Err()
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// QueryRow implements sqlc.DBTX.
func (p *Pool) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	rows, err := p.Query(ctx, sql, args...)
	return row{rows: rows, err: err}
}

// begunRows are rows whose first one has been looked for.
type begunRows struct {
	pgx.Rows

	first bool
	begun bool
}

// Next implements pgx.Rows.
func (r *begunRows) Next() bool {
	if r.begun {
		return r.Rows.Next()
	}
	r.begun = true
	return r.first
}

// row is the first of some rows, or why there are none.
type row struct {
	rows pgx.Rows
	err  error
}

// Scan implements pgx.Row.
func (r row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}
