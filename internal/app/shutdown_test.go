package app

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/internal/booking"
	"bookings/internal/pgpool"
	"bookings/internal/pgtest"
	"bookings/internal/programtest"
)

// served is a server whose end a test looks at.
type served struct {
	t     *testing.T
	addr  string
	pool  *pgxpool.Pool
	log   *programtest.Text
	stop  context.CancelFunc
	ended chan error
}

func serve(t *testing.T, change func(*Settings)) *served {
	t.Helper()
	s := &served{t: t, log: &programtest.Text{}, ended: make(chan error, 1)}
	settings := Settings{
		Addr: "127.0.0.1:0", DatabaseURL: pgtest.URL(t), JWTSecret: testSecret, MaxPending: 10,
		ReminderLeads: []time.Duration{30 * 24 * time.Hour}, FeedRetention: 720 * time.Hour, ShutdownTimeout: 4 * time.Second, Worker: true,
	}
	change(&settings)
	var ctx context.Context
	ctx, s.stop = context.WithCancel(context.Background())
	t.Cleanup(s.stop)
	server, err := New(ctx, settings, slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	listening := make(chan net.Addr, 1)
	go func() { s.ended <- server.Run(ctx, func(addr net.Addr) { listening <- addr }) }()
	s.addr = (<-listening).String()
	if s.pool, err = pgxpool.New(t.Context(), settings.DatabaseURL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.pool.Close)
	return s
}

func (s *served) logged(text string) {
	s.t.Helper()
	pgtest.Eventually(s.t, text, func() bool { return strings.Contains(s.log.String(), text) })
}

// A request that never ends takes its share of the time and no more: jobs have
// theirs, and what becomes due meanwhile is left to others.
func TestARequestThatDoesNotEndTakesNoTimeFromJobs(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for a shutdown's end")
	}
	s := serve(t, func(s *Settings) { s.Drain = time.Second })
	s.logged("working reminders")
	body, endless := io.Pipe()
	defer endless.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.addr+"/v1/bookings", body)
	if err != nil {
		t.Fatal(err)
	}
	token := (&instance{t: t}).token(booking.RoleCustomer, "cara")
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	go func() {
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
		}
	}()
	if _, err := endless.Write([]byte("{")); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	s.stop()
	s.logged(`"producer: Stop returned","queue":"reminders"`) // no more is fetched
	const late = "INSERT INTO river_job (kind, queue, max_attempts, args) VALUES ('reminder', 'reminders', 3, '{}')"
	if _, err := s.pool.Exec(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	if err := <-s.ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	s.logged("requests did not end in time")
	// The request would have gone on for ever; the machine may be busy.
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
	var attempts int
	if err := s.pool.QueryRow(t.Context(), "SELECT attempt FROM river_job WHERE kind = 'reminder'").Scan(&attempts); err != nil || attempts != 0 {
		t.Errorf("what was due meanwhile was tried %d times, %v", attempts, err)
	}
}

// A database that refuses once does not leave an instance without its work.
func TestWorkIsStartedAgainAfterAFailure(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits until a start has failed")
	}
	direct := pgtest.URL(t)
	execute(t, direct, "UPDATE river_migration SET version = version + 1000 WHERE version = (SELECT max(version) FROM river_migration)")
	proxy, through := newProxy(t, direct)
	s := serve(t, func(s *Settings) { s.DatabaseURL = through })
	s.logged("listening")
	pgtest.Eventually(t, "a look at the schema", func() bool {
		var n int
		const looking = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%river_migration%' AND pid <> pg_backend_pid()"
		return s.pool.QueryRow(t.Context(), looking).Scan(&n) == nil && n > 0
	})
	proxy.refuse(true)
	execute(t, direct, "UPDATE river_migration SET version = version - 1000 WHERE version > 1000")
	s.logged("trying again")
	proxy.refuse(false)
	s.logged("working reminders")
	s.stop()
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
}

// River rebuilds its indexes at night, and waits for whoever uses them.
func TestUpkeepIsNotEndedByTheBoundsOfCalls(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits longer than a call may")
	}
	url := pgtest.URL(t)
	pool, err := pgpool.OpenForJobs(t.Context(), url, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	user, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := user.Exec(t.Context(), "LOCK river_job IN ROW EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	rebuilt := make(chan error, 1)
	go func() {
		_, err := pool.Pool.Exec(t.Context(), "REINDEX INDEX CONCURRENTLY river_job_args_index")
		rebuilt <- err
	}()
	select {
	case err := <-rebuilt:
		t.Errorf("it did not wait: %v", err)
	case <-time.After(8 * time.Second): // a call's statement may take 7
		if err := user.Rollback(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-rebuilt; err != nil {
			t.Error(err)
		}
	}
	var invalid int
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM pg_index WHERE NOT indisvalid").Scan(&invalid); err != nil || invalid != 0 {
		t.Errorf("%d invalid indexes, %v", invalid, err)
	}
}
