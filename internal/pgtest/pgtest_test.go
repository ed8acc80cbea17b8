package pgtest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/internal/embeddedpg"
	"bookings/internal/pgtest"
)

const (
	urlVariable  = "BOOKINGS_TEST_DATABASE_URL"
	leakVariable = "BOOKINGS_PGTEST_LEAK"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestTheDatabaseIsMigrated(t *testing.T) {
	t.Parallel()
	if got := value[bool](t, pgtest.New(t), "SELECT to_regclass('river_job') IS NOT NULL"); !got {
		t.Error("River's table is missing")
	}
}

func TestTheDatabaseHasAnOddTimeZone(t *testing.T) {
	t.Parallel()
	if got := value[string](t, pgtest.New(t), "SHOW timezone"); got != "Asia/Kathmandu" {
		t.Errorf("time zone = %s", got)
	}
}

func TestTestsDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	for range 12 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			pool := pgtest.New(t)
			if _, err := pool.Exec(t.Context(), "CREATE TABLE mine ()"); err != nil {
				t.Error(err)
			}
		})
	}
}

//nolint:tparallel // the owner ends before the rest looks
func TestTheDatabaseEndsWithItsTest(t *testing.T) {
	t.Parallel()
	var address string
	t.Run("owner", func(t *testing.T) {
		address = pgtest.URL(t)
		connection, err := pgx.Connect(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = connection.Close(context.Background()) }) // before the drop
	})
	_, err := pgx.Connect(t.Context(), address)
	if refusal, ok := errors.AsType[*pgconn.PgError](err); !ok || refusal.Code != "3D000" {
		t.Errorf("error = %v, not that there is no such database", err)
	}
}

func TestNothingIsLeftOfAPrivateServer(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes a database server anew")
	}
	temporary := openDir(t)
	output, err := again(t, "TestTheDatabaseIsMigrated", "TMPDIR="+temporary, urlVariable+"=")
	if err != nil || !strings.Contains(output, temporary) {
		t.Fatalf("the server did not run below %s: %v\n%s", temporary, err, output)
	}
	left, err := os.ReadDir(temporary)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestAGivenServerIsUsedAndLeftClean(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes a database server anew")
	}
	cluster, err := embeddedpg.Start(t.Context(), embeddedpg.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	output, err := again(t, "TestTheDatabaseIsMigrated", urlVariable+"="+cluster.URL("postgres"))
	if err != nil || strings.Contains(output, "making a new PostgreSQL") {
		t.Fatalf("%v\n%s", err, output)
	}
	pool, err := pgxpool.New(t.Context(), cluster.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if left := value[int](t, pool, "SELECT count(*) FROM pg_database"); left != 3 {
		t.Errorf("%d databases, not the server's own 3", left)
	}
}

func TestALeakFailsTheBinary(t *testing.T) {
	t.Parallel()
	output, err := again(t, "TestLeaking", leakVariable+"=1")
	if err == nil || !strings.Contains(output, "goleak: Errors on successful test run") {
		t.Errorf("error = %v\n%s", err, output)
	}
}

func TestLeaking(t *testing.T) {
	t.Parallel()
	if os.Getenv(leakVariable) == "" {
		t.Skip("the leak of TestALeakFailsTheBinary")
	}
	go func() { select {} }()
}

// again runs one test of this binary in another process.
func again(t *testing.T, test string, environment ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(os.Environ(), environment...)
	output, err := cmd.CombinedOutput()
	return string(output), err
}

// openDir is t.TempDir with a way in for the account that runs postgres.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bookings-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func value[T any](t *testing.T, pool *pgxpool.Pool, sql string) (value T) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}
