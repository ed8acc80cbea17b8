//go:build unix

package embeddedpg

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestDataSurviveAStop(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	first := run(t, Options{Dir: dir})
	check(t, execute(t, first, "CREATE TABLE kept AS SELECT 42 AS answer"))
	check(t, first.Stop())

	second := run(t, Options{Dir: dir})
	if got := query[int](t, second, "SELECT answer FROM kept"); got != 42 {
		t.Errorf("answer = %d", got)
	}
}

func TestDataSurviveAKillOfPostgres(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes a database anew")
	}
	dir := openDir(t)
	first := run(t, Options{Dir: dir})
	check(t, execute(t, first, "CREATE TABLE kept AS SELECT 42 AS answer"))
	check(t, first.process.cmd.Process.Kill())
	<-first.Done()
	refused(t, first.Stop(), "ended by itself", "killed")
	if _, err := os.Stat(filepath.Join(dir, "data", "postmaster.pid")); err != nil {
		t.Fatalf("the kill left no stale postmaster.pid to start over: %v", err)
	}

	second := run(t, Options{Dir: dir})
	if got := query[int](t, second, "SELECT answer FROM kept"); got != 42 {
		t.Errorf("answer = %d", got)
	}
}

func TestPostgresDiesWithItsStarterAndTheDataSurvive(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	starter, _ := child(t, dir)
	first := &Cluster{folder: &folder{socketDir: filepath.Join(dir, "sock")}}
	check(t, execute(t, first, "CREATE TABLE kept AS SELECT 42 AS answer"))
	kill(t, starter)

	// The first postgres holds the lock while it lives, so this waits for its end.
	second := run(t, Options{Dir: dir})
	if got := query[int](t, second, "SELECT answer FROM kept"); got != 42 {
		t.Errorf("answer = %d", got)
	}
}

func TestTheSecondStartInAFolderIsRefused(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	starter, _ := child(t, dir)
	defer kill(t, starter)

	_, err := Start(t.Context(), Options{Dir: dir})
	refused(t, err, "already running", "pid "+strconv.Itoa(starter.Process.Pid))
}

func TestATemporaryClusterLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	cluster := run(t, Options{})
	if got := query[string](t, cluster, "SHOW data_directory"); got != filepath.Join(cluster.folder.dir, "data") {
		t.Errorf("the data are in %s, not in %s", got, cluster.folder.dir)
	}
	check(t, cluster.Stop())
	check(t, cluster.Stop())
	<-cluster.Done()
	gone(t, cluster.folder.dir)
	if isAlive(cluster.process.cmd.Process.Pid) {
		t.Error("postgres still runs")
	}
}

func TestDataOfAnotherVersionAreRefusedAndKept(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	version := filepath.Join(dir, "data", "PG_VERSION")
	check(t, makeOpen(filepath.Dir(version)))
	check(t, os.WriteFile(version, []byte("9\n"), 0o600))

	_, err := Start(t.Context(), Options{Dir: dir})
	refused(t, err, "PostgreSQL 9,", "holds version 1", binVariable, "dump")
	if kept, err := os.ReadFile(version); err != nil || string(kept) != "9\n" {
		t.Errorf("the data were touched: %q, %v", kept, err)
	}
}

func TestAFailedStartShowsTheLogAndLeavesNothing(t *testing.T) {
	t.Parallel()
	installed, err := thisMachine().find(t.Context(), postgresAccount(t), Options{}.complete())
	check(t, err)
	broken := filepath.Join(openDir(t), "bin")
	script(t, filepath.Join(broken, "initdb"), `exec `+installed.path("initdb")+` "$@"`)
	script(t, filepath.Join(broken, "postgres"), `[ "$1" = --version ] || set -- "$@" -c max_connections=many; exec `+installed.path("postgres")+` "$@"`)
	sources := bare(t)
	sources.named = broken
	var place string
	_, err = start(t.Context(), Options{Progress: func(line string) {
		if _, where, found := strings.Cut(line, "database in "); found {
			place = filepath.Dir(where)
		}
	}}, sources)
	refused(t, err, "ended by itself", `invalid value for parameter "max_connections": "many"`)
	if place == "" {
		t.Fatal("Progress was not told of the new database")
	}
	gone(t, place)
}

func TestACancelledStartFreesTheFolder(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes a database anew")
	}
	dir := openDir(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Start(ctx, Options{Dir: dir, Progress: func(string) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	gone(t, filepath.Join(dir, "data"))
	check(t, run(t, Options{Dir: dir}).Stop())
}

func TestOnlyAClusterThatIsKeptWaitsForTheDisk(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes a database anew")
	}
	for dir, want := range map[string]string{openDir(t): "on", "": "off"} {
		cluster := run(t, Options{Dir: dir})
		for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
			if got := query[string](t, cluster, "SHOW "+setting); got != want {
				t.Errorf("in the folder %q %s is %s", dir, setting, got)
			}
		}
		check(t, cluster.Stop())
	}
}

func TestNobodyElseReachesTheServer(t *testing.T) {
	t.Parallel()
	cluster := run(t, Options{})
	info, err := os.Stat(cluster.folder.socketDir)
	check(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Errorf("the socket's folder has mode %o", info.Mode().Perm())
	}
	if uid, _ := owner(info); uid != cluster.folder.runAs.uid {
		t.Errorf("the socket's folder belongs to uid %d", uid)
	}
	if got := query[string](t, cluster, "SHOW listen_addresses"); got != "" {
		t.Errorf("listens on %q", got)
	}
}

func TestTheServerKeepsRangesFromOverlapping(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes a database anew")
	}
	cluster := run(t, Options{})
	check(t, execute(t, cluster, `CREATE EXTENSION btree_gist;
		CREATE TABLE slots (room int, taken tstzrange, EXCLUDE USING gist (room WITH =, taken WITH &&));
		INSERT INTO slots VALUES (1, '[2030-01-01 10:00Z, 2030-01-01 11:00Z)')`))
	err := execute(t, cluster, `INSERT INTO slots VALUES (1, '[2030-01-01 10:30Z, 2030-01-01 12:00Z)')`)
	refused(t, err, "23P01")
}

func TestAFolderTooLongForASocketWorks(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes a database anew")
	}
	for _, name := range []string{strings.Repeat("long", 30), "with, comma and space"} {
		cluster := run(t, Options{Dir: filepath.Join(openDir(t), name)})
		socketDir := cluster.folder.socketDir
		if strings.HasPrefix(socketDir, cluster.folder.dir) {
			t.Errorf("the socket is in %s", socketDir)
		}
		if got := query[int](t, cluster, "SELECT 42"); got != 42 {
			t.Errorf("answer = %d", got)
		}
		check(t, cluster.Stop())
		gone(t, socketDir)
	}
}

func TestTheURLTakesAnyDatabaseName(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes a database anew")
	}
	cluster := run(t, Options{})
	check(t, execute(t, cluster, `CREATE DATABASE "a b/c?d"`))
	connection, err := pgx.Connect(t.Context(), cluster.URL("a b/c?d"))
	check(t, err)
	defer func() { check(t, connection.Close(t.Context())) }()
	var name string
	check(t, connection.QueryRow(t.Context(), "SELECT current_database()").Scan(&name))
	if name != "a b/c?d" {
		t.Errorf("connected to %q", name)
	}
}
