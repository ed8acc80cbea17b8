package pgtest

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// Main runs the tests, stops the server if a test has started it, looks for
// leaked goroutines when the tests have passed, and exits.
func Main(m *testing.M, options ...goleak.Option) {
	current = &suite{tests: m}
	goleak.VerifyTestMain(current, options...)
}

// current is the suite of this test binary, nil when it does not call Main.
var current *suite

type suite struct {
	tests *testing.M

	once    sync.Once
	started *server
	failure error
}

// Run stops the server before goleak looks, as its goroutine is no leak.
func (s *suite) Run() int {
	code := s.tests.Run()
	if s.started == nil {
		return code
	}
	if err := s.started.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest: stop the server:", err)
		return max(code, 1)
	}
	return code
}

func (s *suite) server(t testing.TB) *server {
	t.Helper()
	if s == nil {
		t.Fatal("pgtest: call pgtest.Main in TestMain, or nobody stops the server")
	}
	s.once.Do(func() { s.started, s.failure = start() })
	if s.failure != nil {
		t.Fatal("pgtest: ", s.failure)
	}
	return s.started
}
