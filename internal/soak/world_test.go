package soak

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	_ "bookings/internal/app" // what the program is: go test must not answer from its cache where that has changed
	"bookings/internal/booking"
	"bookings/internal/embeddedpg"
	"bookings/internal/identity"
	"bookings/internal/migrate"
	"bookings/internal/pause"
)

const (
	secret        = "a secret for tests, which nobody else may know"
	internalToken = "an internal token for tests that nobody else may know"
)

// world is two servers on one PostgreSQL and one Redis, all of them real.
type world struct {
	t       *testing.T
	folder  string
	program string
	cluster *embeddedpg.Cluster
	// database is PostgreSQL's address as the test itself uses it.
	database string
	// settings are what the servers are told beside what they always are.
	settings []string
	// each are settings of one server alone.
	each    [2][]string
	redis   *redisServer
	servers [2]*server
	pages   atomic.Int64
}

// newWorld is one with a PostgreSQL of its own.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := emptyWorld(t)
	w.ownPostgres()
	w.startServers("DATABASE_URL=" + w.database)
	return w
}

// emptyWorld has the program, and nothing that runs.
func emptyWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, folder: openFolder(t)}
	w.program = filepath.Join(w.folder, "bookings")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", w.program, "bookings/cmd/bookings").CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	return w
}

// ownPostgres starts one and migrates it.
func (w *world) ownPostgres() {
	w.t.Helper()
	w.startPostgres()
	w.t.Cleanup(func() { _ = w.cluster.Stop() })
	w.database = w.cluster.URL("postgres")
	if err := migrate.Up(w.t.Context(), w.database); err != nil {
		w.t.Fatal(err)
	}
}

// startServers starts Redis and the servers.
func (w *world) startServers(settings ...string) {
	t := w.t
	t.Helper()
	w.settings = settings
	w.redis = &redisServer{t: t, port: freePort(t)}
	w.redis.start()
	t.Cleanup(w.redis.kill)
	for i := range w.servers {
		w.servers[i] = &server{world: w, settings: w.each[i], addr: fmt.Sprintf("127.0.0.1:%d", freePort(t))}
		w.servers[i].start()
		t.Cleanup(w.servers[i].kill)
	}
}

// openFolder is one that PostgreSQL's account may enter too.
func openFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "bookings-soak-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}

func (w *world) startPostgres() {
	w.t.Helper()
	cluster, err := embeddedpg.Start(context.WithoutCancel(w.t.Context()), embeddedpg.Options{Dir: filepath.Join(w.folder, "postgres")})
	if err != nil {
		w.t.Fatal(err)
	}
	w.cluster = cluster
}

// lost are the changes that PostgreSQL knows nothing of.
func (w *world) lost(answered []change) (lost []change) {
	w.t.Helper()
	kept := map[change]bool{}
	var c change
	w.read(`SELECT booking_id::text, type FROM booking_events`, func() { kept[c] = true }, &c.booking, &c.event)
	for _, c := range answered {
		if !kept[c] {
			lost = append(lost, c)
		}
	}
	return lost
}

// read calls each for every row, which is then in the columns.
func (w *world) read(query string, each func(), columns ...any) {
	w.t.Helper()
	conn, err := pgx.Connect(w.t.Context(), w.database)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = conn.Close(w.t.Context()) }()
	rows, err := conn.Query(w.t.Context(), query)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := pgx.ForEachRow(rows, columns, func() error { each(); return nil }); err != nil {
		w.t.Fatal(err)
	}
}

// token is good for as long as any soak.
func (w *world) token(role booking.Role, user string) string {
	token, err := identity.Sign([]byte(secret), booking.Actor{Role: role, ID: user}, "", "", time.Now(), 24*time.Hour)
	if err != nil {
		panic(err)
	}
	return token
}

// server is one process of the program. It keeps its address over restarts.
type server struct {
	world    *world
	settings []string
	addr     string

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
	// stderr is what its last process has complained of.
	stderr *bytes.Buffer
}

func (s *server) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	cmd := exec.Command(s.world.program, "serve")
	cmd.Env = append(os.Environ(), "ADDR="+s.addr, "JWT_SECRET="+secret,
		"INTERNAL_TOKEN="+internalToken, "REDIS_URL="+s.world.redis.url(), "RATE_LIMIT_RPM=0", "MAX_PENDING=1000000",
		"LOG_LEVEL=debug", "SHUTDOWN_TIMEOUT=10s")
	cmd.Env = append(append(cmd.Env, s.world.settings...), s.settings...)
	reader, writer := io.Pipe()
	cmd.Stdout = writer
	s.stderr = &bytes.Buffer{}
	cmd.Stderr = s.stderr
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	s.cmd, s.done = cmd, make(chan struct{})
	go s.count(reader)
	go func(done chan struct{}) {
		_ = cmd.Wait()
		_ = writer.Close()
		close(done)
	}(s.done)
}

// count reads the log for pages read from PostgreSQL, and for what must not
// happen.
func (s *server) count(log io.Reader) {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		switch line := lines.Text(); {
		case strings.Contains(line, "read a page of a feed"):
			s.world.pages.Add(1)
		case strings.Contains(line, `"msg":"panic"`):
			s.world.t.Errorf("a panic: %s", line)
		}
	}
	_, _ = io.Copy(io.Discard, log)
}

// kill ends the process with SIGKILL.
func (s *server) kill() { s.end(syscall.SIGKILL) }

func (s *server) end(signal syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.cmd.Process.Signal(signal)
	<-s.done
}

// ready waits until the server answers for its stores.
func (s *server) ready(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	for !isReady(ctx, s) {
		if !pause.For(ctx, 50*time.Millisecond) {
			return false
		}
	}
	return true
}

// state is what can be said of a server that is not ready.
func (s *server) state(ctx context.Context) string {
	select {
	case <-s.done:
		return fmt.Sprintf("it has ended: %v\n%s", s.cmd.ProcessState, s.stderr)
	default:
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+"/health/ready", http.NoBody)
	if err != nil {
		return err.Error()
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(response.Body)
	return fmt.Sprintf("%s: %s", response.Status, body)
}

// redisServer is a real Redis that keeps nothing on disk.
type redisServer struct {
	t    *testing.T
	port int
	cmd  *exec.Cmd
}

func (r *redisServer) url() string { return fmt.Sprintf("redis://127.0.0.1:%d", r.port) }

func (r *redisServer) start() {
	r.t.Helper()
	r.cmd = exec.Command("redis-server", "--port", fmt.Sprint(r.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *redisServer) kill() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
}

func (r *redisServer) client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: fmt.Sprintf("127.0.0.1:%d", r.port)})
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return number
}
