package middleware

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"bookings/internal/h2test"
)

// hurried is a server whose answers must leave soon. ended tells of each
// connection that it has closed.
func hurried(t *testing.T, next http.HandlerFunc) (server *httptest.Server, ended chan struct{}) {
	t.Helper()
	handler, _ := outer(next, time.Now)
	handler.answerTime = time.Second
	ended = make(chan struct{}, 100)
	server = httptest.NewUnstartedServer(handler)
	server.Config.Protocols = protocols(1, 2)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			ended <- struct{}{}
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server, ended
}

// large is more than a kernel holds for a peer that does not read.
func large(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodHead {
		_, _ = io.WriteString(w, strings.Repeat("a", 16<<20))
	}
}

func small(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, strings.Repeat("a", 4<<10))
}

func await(t *testing.T, what string, happened <-chan struct{}) {
	t.Helper()
	select {
	case <-happened:
	case <-time.After(20 * time.Second):
		t.Fatal("in vain: ", what)
	}
}

func dial(t *testing.T, server *httptest.Server) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestAnAnswerThatIsNotReadIsCutOff(t *testing.T) {
	t.Parallel()
	server, ended := hurried(t, large)
	_, _ = fmt.Fprint(dial(t, server), "GET / HTTP/1.1\r\nHost: server\r\n\r\n")
	await(t, "the connection is closed", ended)
}

func TestPipelinedAnswersThatAreNotReadAreCutOff(t *testing.T) {
	t.Parallel()
	server, ended := hurried(t, small)
	conn := dial(t, server)
	go func() {
		for { // until the server closes
			if _, err := fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: server\r\n\r\n"); err != nil {
				return
			}
		}
	}()
	await(t, "the connection is closed", ended)
}

// The window of a stream is the peer's: one that it never opens would hold the
// answer though the connection is alive.
func TestAStreamOfHTTP2WithoutAWindowIsReset(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{"small": small, "large": large} {
		done := make(chan struct{}, 1)
		server, _ := hurried(t, func(w http.ResponseWriter, r *http.Request) {
			answer(w, r)
			done <- struct{}{}
		})
		conn := h2test.Dial(t, server.Listener.Addr().String(), http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		conn.Request(1, "GET", "/")
		if conn.Await(func(f http2.Frame) bool { return f.Header().Type == http2.FrameRSTStream }) == nil {
			t.Errorf("%s: the connection has ended, not the stream", name)
		}
		await(t, name+": the handler has ended", done)
		conn.Request(3, "HEAD", "/")
		if status := conn.Status(3); status != "200" {
			t.Errorf("%s: the connection's next call: %q", name, status)
		}
	}
}
