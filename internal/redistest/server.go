package redistest

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	program      = "redis-server"
	answerWithin = 30 * time.Second
	askEvery     = 10 * time.Millisecond
	// timeout is the one short deadline that the server gives Redis, too.
	timeout = time.Second
)

// Server is a Redis process that listens on a Unix socket and keeps nothing.
type Server struct {
	t      testing.TB
	socket string

	mu      sync.Mutex
	process *exec.Cmd
	ended   <-chan struct{}
	output  bytes.Buffer
}

// Start runs a Redis until the end of the test. It skips the test where there
// is no redis-server.
func Start(t testing.TB) *Server {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("needs %s on the PATH (Debian: apt-get install redis-server)", program)
	}
	// Not t.TempDir: the path of a socket has to be short.
	dir, err := os.MkdirTemp("", "redis")
	if err != nil {
		t.Fatal("redistest: ", err)
	}
	s := &Server{t: t, socket: filepath.Join(dir, "s")}
	t.Cleanup(func() {
		s.Kill()
		_ = os.RemoveAll(dir)
	})
	s.Run()
	return s
}

// Run starts the process, empty, and returns once it answers.
func (s *Server) Run() {
	s.t.Helper()
	s.mu.Lock()
	//nolint:noctx // it ends by Kill, not with a call
	s.process = exec.Command(program, "--port", "0", "--unixsocket", s.socket,
		"--save", "", "--appendonly", "no", "--dir", filepath.Dir(s.socket))
	s.process.Stdout, s.process.Stderr = &s.output, &s.output
	dieWithParent(s.process)
	var err error
	s.ended, err = start(s.process)
	s.mu.Unlock()
	if err != nil {
		s.t.Fatal("redistest: ", err)
	}
	s.awaitAnswer()
}

// start starts a process on a thread that stays until the process has ended: the one
// thread whose end Linux takes for the parent's (dieWithParent).
func start(process *exec.Cmd) (<-chan struct{}, error) {
	started, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(ended)
		err := process.Start()
		started <- err
		if err == nil {
			_ = process.Wait()
		}
	}()
	return ended, <-started
}

func (s *Server) awaitAnswer() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	client := redis.NewClient(s.Options())
	defer func() { _ = client.Close() }()
	for client.Ping(ctx).Err() != nil {
		select {
		case <-time.After(askEvery):
		case <-ctx.Done():
			s.t.Fatalf("redistest: Redis does not answer\n%s", s.output.String())
		}
	}
}

// URL is the server's address as REDIS_URL takes it.
func (s *Server) URL() string { return "unix://" + s.socket }

// Options are those with which the program itself connects.
func (s *Server) Options() *redis.Options {
	return &redis.Options{
		Network: "unix", Addr: s.socket, ContextTimeoutEnabled: true,
		DialTimeout: timeout, ReadTimeout: timeout, WriteTimeout: timeout,
	}
}

// Client is a new client of the server, closed at the end of the test.
func (s *Server) Client() *redis.Client {
	client := redis.NewClient(s.Options())
	s.t.Cleanup(func() { _ = client.Close() })
	return client
}

// Kill ends the process at once; Run starts another in its place.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill()
	<-s.ended
	s.process = nil
}
