package app

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/internal/booking"
	"bookings/internal/identity"
	"bookings/internal/pgtest"
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
	log   *logs
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
	ctx, cancel := context.WithCancel(context.Background())
	i := newInstance(t)
	server, err := New(ctx, settings, slog.New(slog.NewJSONHandler(i.log, &slog.HandlerOptions{Level: settings.LogLevel})))
	if err != nil {
		t.Fatal(err)
	}
	listening := make(chan net.Addr, 1)
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx, func(addr net.Addr) { listening <- addr }) }()
	i.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	t.Cleanup(i.stop)
	t.Cleanup(i.http2.CloseIdleConnections) // before the stop, which waits a second for who does not hang up
	select {
	case addr := <-listening:
		i.addr = addr.String()
		if other := server.InternalAddr(); other != nil {
			i.internal = newInstance(t)
			i.internal.addr, i.internal.log = other.String(), i.log
		}
		if operators := server.AdminAddr(); operators != nil {
			i.admin = newInstance(t)
			i.admin.addr = operators.String()
		}
	case err := <-ended:
		ended <- nil
		t.Fatalf("the server did not start: %v", err)
	}
	if i.pool, err = pgxpool.New(ctx, settings.DatabaseURL); err != nil {
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
		t: t, log: &logs{},
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

// logs keeps what a server logged.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

var _ io.Writer = (*logs)(nil)
