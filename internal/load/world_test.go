//go:build linux

package load

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	_ "bookings/internal/app" // what the program is: go test must not answer from its cache where that has changed
	"bookings/internal/booking"
	"bookings/internal/embeddedpg"
	"bookings/internal/identity"
	"bookings/internal/migrate"
	"bookings/internal/pause"
	"bookings/internal/redistest"
)

const (
	secret        = "a secret for benchmarks, which nobody else may know"
	internalToken = "an internal token for benchmarks that nobody else may know"
)

// world is a PostgreSQL, a Redis where one is asked for, and the servers on them.
type world struct {
	b        *testing.B
	folder   string
	postgres *embeddedpg.Cluster
	pool     *pgxpool.Pool
	redisURL string
	servers  []*server
}

// build compiles the program once for all benchmarks.
var build = sync.OnceValues(func() (string, error) {
	program := filepath.Join(os.TempDir(), fmt.Sprintf("bookings-load-%d", os.Getpid()))
	out, err := exec.Command("go", "build", "-o", program, "bookings/cmd/bookings").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return program, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if program, err := build(); err == nil {
		_ = os.Remove(program)
	}
	os.Exit(code)
}

// newWorld has a database with the schema and no server.
func newWorld(b *testing.B) *world {
	b.Helper()
	folder, err := os.MkdirTemp("", "bookings-load-")
	if err != nil {
		b.Fatal(err)
	}
	w := &world{b: b, folder: folder}
	b.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil { // PostgreSQL's account enters it, too
		b.Fatal(err)
	}
	if w.postgres, err = embeddedpg.Start(context.WithoutCancel(b.Context()), embeddedpg.Options{Dir: filepath.Join(folder, "postgres")}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = w.postgres.Stop() })
	if err := migrate.Up(b.Context(), w.url()); err != nil {
		b.Fatal(err)
	}
	if w.pool, err = pgxpool.New(b.Context(), w.url()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(w.pool.Close)
	return w
}

func (w *world) url() string { return w.postgres.URL("postgres") }

// withRedis starts one, for servers that are started later.
func (w *world) withRedis() *world {
	w.b.Helper()
	w.redisURL = redistest.Start(w.b).URL()
	return w
}

func (w *world) exec(sql string, args ...any) {
	w.b.Helper()
	if _, err := w.pool.Exec(w.b.Context(), sql, args...); err != nil {
		w.b.Fatal(err)
	}
}

// wal is how much PostgreSQL has written to its log ahead of the data, in bytes.
func (w *world) wal() (bytes int64) {
	w.b.Helper()
	if err := w.pool.QueryRow(w.b.Context(), "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").Scan(&bytes); err != nil {
		w.b.Fatal(err)
	}
	return bytes
}

// server is one process of the program.
type server struct {
	addr string
	cmd  *exec.Cmd
}

// serve starts a server and returns it once it is ready.
func (w *world) serve(settings ...string) *server {
	w.b.Helper()
	program, err := build()
	if err != nil {
		w.b.Fatal(err)
	}
	s := &server{addr: freeAddress(w.b), cmd: exec.Command(program, "serve")}
	s.cmd.Env = append(os.Environ(), "ADDR="+s.addr, "DATABASE_URL="+w.url(), "REDIS_URL="+w.redisURL, "JWT_SECRET="+secret,
		"INTERNAL_TOKEN="+internalToken, "RATE_LIMIT_RPM=0", "MAX_PENDING=1000000000", "SHUTDOWN_TIMEOUT=10s")
	s.cmd.Env = append(s.cmd.Env, settings...)
	log, err := os.Create(filepath.Join(w.folder, fmt.Sprintf("server-%d.log", len(w.servers))))
	if err != nil {
		w.b.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		w.b.Fatal(err)
	}
	w.b.Cleanup(s.stop)
	w.servers = append(w.servers, s)
	s.awaitReady(w.b)
	return s
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	_ = s.cmd.Wait()
}

func (s *server) awaitReady(b *testing.B) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	for !s.ready(ctx) {
		if !pause.For(ctx, 50*time.Millisecond) {
			b.Fatal("the server does not get ready")
		}
	}
}

func (s *server) ready(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+"/health/ready", http.NoBody)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode == http.StatusOK
}

func freeAddress(b *testing.B) string {
	b.Helper()
	listener, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// token is a user's, good for a day.
func token(role booking.Role, user string) string {
	signed, err := identity.Sign([]byte(secret), booking.Actor{Role: role, ID: user}, "", "", time.Now(), 24*time.Hour)
	if err != nil {
		panic(err)
	}
	return signed
}

// connectCall is a call of a method of BookingService as bytes, in Connect's JSON.
func connectCall(bearer, method, body string) string {
	return call(bearer, "POST", "/bookings.v1.BookingService/"+method, body)
}

// call is a request of HTTP/1.1 as bytes: net/http's client would take more of the
// processors than the server.
func call(bearer, verb, path, body string) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n", verb, path, bearer)
	if body != "" {
		fmt.Fprintf(&s, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	s.WriteString("\r\n" + body)
	return s.String()
}
