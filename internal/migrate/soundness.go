package migrate

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrNotUTF8 tells of a database that cannot hold what callers may write, or in
// which texts have other lengths than here.
var ErrNotUTF8 = errors.New("the database's encoding is not UTF8: make one WITH ENCODING 'UTF8'")

// ErrSequenceBehind tells of a database to which rows were copied and sequences
// were not, as logical replication does: the next job would get an id that is
// taken. Histories and feeds are numbered without a sequence.
var ErrSequenceBehind = errors.New("a sequence is behind its table, as after logical replication: run bookings migrate up")

func checkEncoding(ctx context.Context, pool *pgxpool.Pool) error {
	var encoding string
	if err := pool.QueryRow(ctx, "SELECT current_setting('server_encoding')").Scan(&encoding); err != nil {
		return fmt.Errorf("read the database's encoding: %w", err)
	}
	if encoding != "UTF8" {
		return fmt.Errorf("%w (it is %s)", ErrNotUTF8, encoding)
	}
	return nil
}

// sequences are the columns whose next values are a sequence's: River's, goose's,
// and one that the first version of this program numbered histories by.
var sequences = []struct{ table, column string }{
	{"river_job", "id"},
	{"goose_db_version", "id"},
	{"booking_events", "ordinal"},
}

// checkSequence looks at the one that is in daily use. A row is seen after its
// number was taken, so a sequence in order is never found behind.
func checkSequence(ctx context.Context, pool *pgxpool.Pool) error {
	const query = `SELECT coalesce(max(id), 0) > coalesce(pg_sequence_last_value(pg_get_serial_sequence('river_job', 'id')::regclass), 0)
		FROM river_job`
	var behind bool
	if err := pool.QueryRow(ctx, query).Scan(&behind); err != nil {
		return fmt.Errorf("compare a sequence with its table: %w", err)
	}
	if behind {
		return ErrSequenceBehind
	}
	return nil
}

// catchUp moves sequences that are behind their tables, where those exist yet.
func catchUp(ctx context.Context, pool *pgxpool.Pool) error {
	for _, s := range sequences {
		var exists bool
		if err := pool.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", s.table).Scan(&exists); err != nil {
			return fmt.Errorf("look for %s: %w", s.table, err)
		}
		if !exists {
			continue
		}
		move := fmt.Sprintf(`SELECT setval(sequence, newest)
			FROM (SELECT max(%[2]s) AS newest, pg_get_serial_sequence('%[1]s', '%[2]s')::regclass AS sequence FROM %[1]s) AS s
			WHERE newest > coalesce(pg_sequence_last_value(sequence), 0)`, s.table, s.column)
		if _, err := pool.Exec(ctx, move); err != nil {
			return fmt.Errorf("move the sequence of %s: %w", s.table, err)
		}
	}
	return nil
}
