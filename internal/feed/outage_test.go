package feed_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// administrator is a connection that no fault of a test meets.
func administrator(t *testing.T, pool *pgxpool.Pool) *pgx.Conn {
	t.Helper()
	config := pool.Config().ConnConfig
	config.Database = "postgres"
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func terminate(t *testing.T, admin *pgx.Conn, pool *pgxpool.Pool) {
	t.Helper()
	if _, err := admin.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`,
		pool.Config().ConnConfig.Database); err != nil {
		t.Error(err)
	}
}

// open lets connections in, or shuts PostgreSQL for this test's database.
func open(t *testing.T, admin *pgx.Conn, pool *pgxpool.Pool, doors string) {
	t.Helper()
	name := pgx.Identifier{pool.Config().ConnConfig.Database}.Sanitize()
	if _, err := admin.Exec(t.Context(), "ALTER DATABASE "+name+" WITH ALLOW_CONNECTIONS "+doors); err != nil {
		t.Fatal(err)
	}
}

func TestTerminatedBackendsLoseNothing(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("kills connections for long")
	}
	w, pool := newWriter(t)
	admin := administrator(t, pool)
	h := startHub(t, pool, nil, often)
	w.Fill(20_000)
	all := w.IDs(w.Provider)
	var readers []*reader
	for range 10 {
		readers = append(readers, follow(t, h, w.Provider, number(0)))
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 20 {
		terminate(t, admin, pool)
		<-tick.C
	}
	for _, r := range readers {
		r.wants(all)
	}
	if h.log.count("readers wait") == 0 {
		t.Error("no reader met a terminated backend")
	}
}

func TestReadersOutlastAnOutageOfPostgres(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	admin := administrator(t, pool)
	h := startHub(t, pool, nil, often)
	w.Fill(1000)
	all := w.IDs(w.Provider)
	s, other := subscribe(t, h, w.Provider, number(0)), subscribe(t, h, w.Provider, number(0))
	if _, err := s.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	open(t, admin, pool, "false")
	terminate(t, admin, pool)
	r := record(t, s)
	eventually(t, func() bool { return h.log.count("readers wait") > 0 })

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		var err error
		for err == nil { // what was read when it began is in memory
			_, err = other.Next(ctx)
		}
		ended <- err
	}()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("a reader whose caller is gone ended with %v", err)
	}

	open(t, admin, pool, "true")
	r.wants(all[1:])
	h.Publish(w.Write())
	r.wants(w.IDs(w.Provider)[1:])
	if lines := h.log.count("readers wait"); lines != 1 {
		t.Errorf("one outage was logged %d times", lines)
	}
}
