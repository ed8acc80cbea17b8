package app

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/internal/booking"
	"bookings/internal/identity"
	"bookings/internal/pgtest"
	"bookings/internal/programtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const (
	testSecret   = "a secret for tests, which nobody else may know"
	testInternal = "an internal token for tests, which nobody else may know"
)

// instance is a running server with a database of its own.
type instance struct {
	t    testing.TB
	addr string
	// internal is the server's internal listener, where it has one.
	internal *instance
	// tls is what clients speak TLS with; nil where they speak plain text.
	tls  *tls.Config
	pool *pgxpool.Pool
	// admin is where its operators look, where there is such a place.
	admin *instance
	log   *programtest.Text
	// http1 and http2 are connections of clients, the latter in plain text.
	http1, http2 *http.Transport
	// stop ends the server in order and waits until it has ended.
	stop func()
}

// start runs the real server, limits off unless change switches them on.
func start(t testing.TB, changes ...func(*Settings)) *instance {
	t.Helper()
	settings := Settings{
		Addr: "127.0.0.1:0", DatabaseURL: pgtest.URL(t), JWTSecret: testSecret,
		InternalTokens: []string{testInternal}, MaxPending: 10, ReminderLeads: []time.Duration{10 * time.Minute}, FeedRetention: 720 * time.Hour,
		ShutdownTimeout: 10 * time.Second, Worker: true,
	}
	for _, change := range changes {
		change(&settings)
	}
	return run(t, settings)
}

// run runs a server with exactly these settings.
func run(t testing.TB, settings Settings) *instance {
	t.Helper()
	i := newInstance(t)
	server, err := New(t.Context(), settings, slog.New(slog.NewJSONHandler(i.log, &slog.HandlerOptions{Level: settings.LogLevel})))
	if err != nil {
		t.Fatal(err)
	}
	i.addr, i.stop = programtest.Serve(t, server.Run)
	t.Cleanup(i.http2.CloseIdleConnections) // before the stop, which waits a second for who does not hang up
	if other := server.InternalAddr(); other != nil {
		i.internal = newInstance(t)
		i.internal.addr, i.internal.log = other.String(), i.log
	}
	if operators := server.AdminAddr(); operators != nil {
		i.admin = newInstance(t)
		i.admin.addr = operators.String()
	}
	if i.pool, err = pgxpool.New(t.Context(), settings.DatabaseURL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(i.pool.Close)
	return i
}

func newInstance(t testing.TB) *instance {
	t.Helper()
	var plain http.Protocols
	plain.SetUnencryptedHTTP2(true)
	i := &instance{
		t: t, log: &programtest.Text{},
		http1: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 100},
		http2: &http.Transport{DisableCompression: true, Protocols: &plain},
	}
	t.Cleanup(i.http1.CloseIdleConnections)
	t.Cleanup(i.http2.CloseIdleConnections)
	return i
}

func (i *instance) url() string {
	if i.tls != nil {
		return "https://" + i.addr
	}
	return "http://" + i.addr
}

// token is good for an hour.
func (i *instance) token(role booking.Role, user string) string {
	i.t.Helper()
	token, err := identity.Sign([]byte(testSecret), booking.Actor{Role: role, ID: user}, "", "", time.Now(), time.Hour)
	if err != nil {
		i.t.Fatal(err)
	}
	return token
}
