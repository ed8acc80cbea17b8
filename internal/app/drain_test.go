package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	h2 "golang.org/x/net/http2"

	"bookings/internal/booking"
	"bookings/internal/h2test"
	"bookings/internal/pgtest"
)

// A proxy keeps its connections. It has to hear that they close while there is
// still somebody who answers the call that it may have sent already.
func TestAnswersSayThatTheServerGoesBeforeItHasGone(t *testing.T) {
	t.Parallel()
	i := start(t, func(s *Settings) { s.Drain = time.Second })
	conn := h2test.Dial(t, i.addr)
	conn.Request(1, http.MethodGet, "/health")
	if status := conn.Status(1); status != "200" {
		t.Fatal(status)
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		i.stop()
	}()
	i.awaitf(func() bool { status, _ := i.readiness(); return status == http.StatusServiceUnavailable }, "readiness off")
	response, _ := i.exchange(i.get("/health", http.Header{}))
	if !response.Close || response.StatusCode != http.StatusOK {
		t.Errorf("over HTTP/1.1: %s, Connection: close: %v", response.Status, response.Close)
	}
	conn.Request(3, http.MethodGet, "/health")
	told := map[h2.FrameType]bool{}
	conn.Await(func(f h2.Frame) bool {
		told[f.Header().Type] = true
		return told[h2.FrameGoAway] && told[h2.FrameHeaders]
	})
	if !told[h2.FrameGoAway] || !told[h2.FrameHeaders] {
		t.Errorf("over HTTP/2: %v", told)
	}
	<-stopped
}

// Who has connected before the listener closed has not asked yet, but will.
func TestWhoHasConnectedIsAnsweredStill(t *testing.T) {
	t.Parallel()
	i := start(t, func(s *Settings) { s.Drain = 2 * time.Second })
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", i.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go i.stop()
	i.awaitf(func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		again, err := new(net.Dialer).DialContext(ctx, "tcp", i.addr)
		if err == nil {
			_ = again.Close()
		}
		return err != nil
	}, "nobody can connect")
	_, _ = fmt.Fprint(conn, "GET /health HTTP/1.1\r\nHost: server\r\n\r\n")
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	answer, _ := io.ReadAll(conn)
	if !strings.HasPrefix(string(answer), "HTTP/1.1 200") || !strings.Contains(string(answer), "Connection: close") {
		t.Errorf("answered %q", answer)
	}
}

const nginxOfTwo = `
  upstream bookings { server %[1]s max_fails=0; server %[2]s max_fails=0; keepalive 32; }
  server {
    listen %[3]s;
    location / { proxy_pass http://bookings; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }`

// nginx does not send a POST anew that met a connection which was closing: the
// caller would not know whether it was done.
func TestARollingRestartBehindNginxLosesNoPOST(t *testing.T) {
	t.Parallel()
	servers := startReplicas(t)
	proxy := newInstance(t)
	proxy.addr = freeAddr(t)
	startNginx(t, fmt.Sprintf(nginxOfTwo, servers.addrs[0], servers.addrs[1], proxy.addr), proxy.addr)
	servers.restartWhile(func() error { return postThrough(proxy, proxy.http1) }, func() {})
}

// replicas are two servers with one database.
type replicas struct {
	t       *testing.T
	addrs   [2]string
	servers [2]*instance
	url     string
}

func startReplicas(t *testing.T) *replicas {
	t.Helper()
	if testing.Short() {
		t.Skip("restarts servers for many seconds")
	}
	r := &replicas{t: t, addrs: [2]string{freeAddr(t), freeAddr(t)}, url: pgtest.URL(t)}
	r.start(0)
	r.start(1)
	return r
}

func (r *replicas) start(n int) {
	r.servers[n] = start(r.t, func(s *Settings) {
		s.Addr, s.DatabaseURL, s.Drain, s.Worker = r.addrs[n], r.url, time.Second, false
	})
}

// restartWhile makes the servers anew in turns while callers send, which has to
// go well each time. settled returns when the proxy has noticed that a server is
// back.
func (r *replicas) restartWhile(send func() error, settled func()) {
	r.t.Helper()
	var sent, lost atomic.Int64
	var enough atomic.Bool
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for !enough.Load() {
				sent.Add(1)
				if err := send(); err != nil {
					lost.Add(1)
					r.t.Error(err)
				}
			}
		})
	}
	defer callers.Wait()
	defer enough.Store(true)
	for round := range 6 {
		settled()
		r.servers[round%2].stop()
		r.start(round % 2)
	}
	r.t.Logf("lost %d of %d", lost.Load(), sent.Load())
}

func postThrough(i *instance, transport http.RoundTripper) error {
	request := i.post(bookingService+"ListBookings", "application/json", strings.NewReader("{}"), i.as(booking.RoleCustomer, "cara"))
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return errors.Join(err, fmt.Errorf("%s: %s", response.Status, body))
	}
	return nil
}
