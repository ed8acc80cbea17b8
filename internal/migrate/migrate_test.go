package migrate_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/db"
	"bookings/internal/migrate"
	"bookings/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestMigrationsFromManyProcessesAtOnceAllSucceed(t *testing.T) {
	t.Parallel()
	address := pgtest.Empty(t)
	const processes = 8
	begin, failures := make(chan struct{}), make(chan error, processes)
	for range processes {
		go func() {
			<-begin
			failures <- migrate.Up(t.Context(), address)
		}()
	}
	close(begin)
	for range processes {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
	if err := migrate.Check(t.Context(), open(t, address)); err != nil {
		t.Error(err)
	}
	if applied, want := lines(t, address, "applied"), files(t); applied != want {
		t.Errorf("%d migrations are applied, not %d", applied, want)
	}
}

func TestASecondMigrationFindsNothingToDo(t *testing.T) {
	t.Parallel()
	address := pgtest.URL(t)
	pool := open(t, address)
	before := count(t, pool)
	if err := migrate.Up(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	if after := count(t, pool); after != before {
		t.Errorf("%d migrations are recorded, not %d", after, before)
	}
}

func TestAnEmptyDatabaseIsTooOld(t *testing.T) {
	t.Parallel()
	address := pgtest.Empty(t)
	if err := migrate.Check(t.Context(), open(t, address)); !errors.Is(err, migrate.ErrTooOld) {
		t.Errorf("error = %v", err)
	}
}

func TestADatabaseWithoutTheJobsTablesIsTooOld(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	if _, err := pool.Exec(t.Context(), "DELETE FROM river_migration WHERE version = (SELECT max(version) FROM river_migration)"); err != nil {
		t.Fatal(err)
	}
	if err := migrate.Check(t.Context(), pool); !errors.Is(err, migrate.ErrTooOld) {
		t.Errorf("error = %v", err)
	}
}

func TestAMigratedDatabaseIsNewEnough(t *testing.T) {
	t.Parallel()
	if err := migrate.Check(t.Context(), pgtest.New(t)); err != nil {
		t.Error(err)
	}
}

func TestTheStatusListsEveryMigration(t *testing.T) {
	t.Parallel()
	for state, address := range map[string]string{"pending": pgtest.Empty(t), "applied": pgtest.URL(t)} {
		if got, want := lines(t, address, state), files(t); got != want {
			t.Errorf("%d migrations are %s, not %d", got, state, want)
		}
	}
}

// Servers look for the schema every second while somebody migrates.
func TestALookDoesNotDisturbAMigration(t *testing.T) {
	t.Parallel()
	address := pgtest.Empty(t)
	pool := open(t, address)
	migrated := make(chan error)
	go func() { migrated <- migrate.Up(t.Context(), address) }()
	for {
		if err := migrate.Check(t.Context(), pool); err != nil && !errors.Is(err, migrate.ErrTooOld) {
			t.Error("look: ", err)
		}
		select {
		case err := <-migrated:
			if err != nil {
				t.Error("migrate: ", err)
			}
			return
		default:
		}
	}
}

// During a roll-out the old program still runs on the new schema.
func TestANewerDatabaseIsNewEnough(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	for _, sql := range []string{
		"INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)",
		"INSERT INTO river_migration (line, version) VALUES ('main', 999)",
	} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := migrate.Check(t.Context(), pool); err != nil {
		t.Error(err)
	}
}

func TestAServerThatIsNotThereIsSaid(t *testing.T) {
	t.Parallel()
	const nobody = "postgres://127.0.0.1:1/bookings"
	if err := migrate.Up(t.Context(), nobody); err == nil {
		t.Error("migrated without a server")
	}
	if _, err := migrate.Status(t.Context(), nobody); err == nil {
		t.Error("listed without a server")
	}
}

// lines counts the migrations in a state.
func lines(t *testing.T, address, state string) (n int) {
	t.Helper()
	listed, err := migrate.Status(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range listed {
		if strings.HasPrefix(line, state) && strings.HasSuffix(line, ".sql") {
			n++
		}
	}
	return n
}

func files(t *testing.T) int {
	t.Helper()
	found, err := fs.Glob(db.Migrations, "migrations/*.sql")
	if err != nil || len(found) == 0 {
		t.Fatal("no migrations are embedded: ", err)
	}
	return len(found)
}

func count(t *testing.T, pool *pgxpool.Pool) (n int) {
	t.Helper()
	const sql = "SELECT (SELECT count(*) FROM goose_db_version) + (SELECT count(*) FROM river_migration)"
	if err := pool.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func open(t *testing.T, address string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(context.WithoutCancel(t.Context()), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}
