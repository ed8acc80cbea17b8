// Package migrate brings a database's schema up to what this program needs: our
// tables by goose, River's by its own migrator.
package migrate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"bookings/db"
)

// lockID is the advisory lock under which one process at a time migrates: any
// number, as long as nothing else in the database uses it.
const lockID = 7_302_519_484

// migrators is how many connections a migration takes: one for its lock, the
// others for goose and River.
const migrators = 4

// Up applies every migration that is missing. It is safe to run from several
// processes at once: one migrates, the others wait and find nothing to do.
func Up(ctx context.Context, databaseURL string) error {
	return locked(ctx, databaseURL, func(pool *pgxpool.Pool) error {
		if err := errors.Join(checkEncoding(ctx, pool), catchUp(ctx, pool)); err != nil {
			return err
		}
		if err := ours(ctx, pool); err != nil {
			return fmt.Errorf("migrate our tables: %w", err)
		}
		river, err := rivermigrate.New(riverpgxv5.New(pool), nil)
		if err != nil {
			return fmt.Errorf("prepare River's migrations: %w", err)
		}
		if _, err := river.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
			return fmt.Errorf("migrate River's tables: %w", err)
		}
		return nil
	})
}

// locked runs f with a pool of its own, while one connection holds the lock.
func locked(ctx context.Context, databaseURL string, f func(*pgxpool.Pool) error) error {
	pool, err := open(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer pool.Close()
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		// A transaction's lock, since behind a pooler a session is nobody's. It is
		// waited for, and held, for as long as it takes.
		const patient = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"
		if _, err := tx.Exec(ctx, patient); err != nil {
			return fmt.Errorf("wait without a bound: %w", err)
		}
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", lockID); err != nil {
			return fmt.Errorf("wait for another migration: %w", err)
		}
		return f(pool)
	})
}

// open makes a pool that also works behind a pooler, where no prepared statement
// has a name.
func open(ctx context.Context, databaseURL string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("read the database's URL: %w", err)
	}
	config.MaxConns = migrators // whatever the URL says: one would wait for itself
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	return pool, nil
}

func ours(ctx context.Context, pool *pgxpool.Pool) error {
	provider, err := newProvider(pool)
	if err != nil {
		return err
	}
	defer provider.Close()
	if _, err = provider.Up(ctx); err != nil {
		return fmt.Errorf("apply them: %w", err)
	}
	return nil
}

func newProvider(pool *pgxpool.Pool) (*goose.Provider, error) {
	files, err := fs.Sub(db.Migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("read the embedded migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, stdlib.OpenDBFromPool(pool), files)
	if err != nil {
		return nil, fmt.Errorf("prepare our migrations: %w", err)
	}
	return provider, nil
}

// Status lists our migrations and whether each was applied.
func Status(ctx context.Context, databaseURL string) ([]string, error) {
	pool, err := open(ctx, databaseURL)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	provider, err := newProvider(pool)
	if err != nil {
		return nil, err
	}
	defer provider.Close()
	known, err := provider.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("read which migrations were applied: %w", err)
	}
	lines := make([]string, 0, len(known))
	for _, migration := range known {
		lines = append(lines, fmt.Sprintf("%-8s %s", migration.State, migration.Source.Path))
	}
	return lines, nil
}

// Check fails with ErrTooOld where the database's schema is older than this
// program needs, with ErrNotUTF8, or with ErrSequenceBehind.
func Check(ctx context.Context, pool *pgxpool.Pool) error {
	if err := checkEncoding(ctx, pool); err != nil {
		return err
	}
	provider, err := newProvider(pool)
	if err != nil {
		return err
	}
	defer provider.Close()
	pending, err := provider.HasPending(ctx)
	if err != nil {
		return fmt.Errorf("read which migrations were applied: %w", err)
	}
	river, err := rivermigrate.New(riverpgxv5.New(pool), nil)
	if err != nil {
		return fmt.Errorf("prepare River's migrations: %w", err)
	}
	validated, err := river.Validate(ctx, nil)
	if err != nil {
		return fmt.Errorf("read which of River's migrations were applied: %w", err)
	}
	if pending || !validated.OK {
		return ErrTooOld
	}
	return checkSequence(ctx, pool)
}

// ErrTooOld tells that migrations are missing.
var ErrTooOld = errors.New("the database's schema is older than this program needs: run bookings migrate up")
