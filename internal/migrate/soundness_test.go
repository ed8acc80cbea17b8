package migrate_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"bookings/internal/migrate"
	"bookings/internal/pgtest"
)

func TestADatabaseThatIsNotUTF8IsRefused(t *testing.T) {
	t.Parallel()
	address := pgtest.Empty(t)
	config, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	admin, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	ascii := config.Database + "_ascii"
	_, err = admin.Exec(t.Context(), "CREATE DATABASE "+ascii+" ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := admin.Exec(context.Background(), "DROP DATABASE "+ascii+" WITH (FORCE)")
		if err = errors.Join(err, admin.Close(context.Background())); err != nil {
			t.Error(err)
		}
	})
	address = strings.Replace(address, "/"+config.Database, "/"+ascii, 1)
	if err := migrate.Up(t.Context(), address); !errors.Is(err, migrate.ErrNotUTF8) {
		t.Errorf("migrated: %v", err)
	}
	pool := open(t, address)
	if err := migrate.Check(t.Context(), pool); !errors.Is(err, migrate.ErrNotUTF8) {
		t.Errorf("checked: %v", err)
	}
	var tables int
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&tables); err != nil || tables != 0 {
		t.Errorf("%d tables, %v", tables, err)
	}
}

// Logical replication copies rows and no sequences.
func TestASequenceThatIsBehindIsRefusedAndMendedByAMigration(t *testing.T) {
	t.Parallel()
	address := pgtest.URL(t)
	pool := open(t, address)
	for _, sql := range []string{
		"INSERT INTO river_job (kind, max_attempts, args) VALUES ('a', 1, '{}'), ('b', 1, '{}'), ('c', 1, '{}')",
		"SELECT setval(pg_get_serial_sequence('river_job', 'id'), 1, false), setval(pg_get_serial_sequence('goose_db_version', 'id'), 1, false)",
	} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := migrate.Check(t.Context(), pool); !errors.Is(err, migrate.ErrSequenceBehind) {
		t.Errorf("checked: %v", err)
	}
	if err := migrate.Up(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	if err := migrate.Check(t.Context(), pool); err != nil {
		t.Error(err)
	}
	for _, insert := range []string{
		"INSERT INTO river_job (kind, max_attempts, args) VALUES ('d', 1, '{}')",
		"INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)",
	} {
		if _, err := pool.Exec(t.Context(), insert); err != nil {
			t.Error(err)
		}
	}
}
