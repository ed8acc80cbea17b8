package pgtest

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
)

// poolSize is enough for goroutines that race, and leaves the server's
// connections to the tests beside this one.
const poolSize = 8

// New returns a pool of at most 8 connections to a new database. Both end with
// the test, which must have given back every connection by then.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(URL(t))
	if err != nil {
		t.Fatal("pgtest: ", err)
	}
	config.MaxConns = poolSize
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal("pgtest: ", err)
	}
	t.Cleanup(pool.Close) // before the database is dropped: last in, first out
	return pool
}

// URL returns the address of a new database, for a test that makes its own
// connections. The database is migrated, empty, and set to a time zone that
// nobody's code expects. It is dropped at the end of the test, and connections
// that are then still open are broken.
func URL(t testing.TB) string {
	t.Helper()
	server := current.server(t)
	return server.database(t, server.template())
}

// Empty is URL for a database without any migration, for tests of migrations.
func Empty(t testing.TB) string {
	t.Helper()
	return current.server(t).database(t, "template1")
}

func (s *server) database(t testing.TB, template string) string {
	t.Helper()
	name, err := s.clone(template)
	if err != nil {
		t.Fatal("pgtest: ", err)
	}
	t.Cleanup(func() {
		if err := s.drop(name); err != nil {
			t.Error("pgtest: ", err)
		}
	})
	return s.url(name)
}
