package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
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

const nginxConf = `
daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;
  upstream bookings { server %[2]s max_fails=0; server %[3]s max_fails=0; keepalive 32; }
  server {
    listen %[4]s;
    location / { proxy_pass http://bookings; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}`

// freeAddr is an address that nobody listens on, as a server needs that comes
// back.
func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// nginx runs one in front of two servers, and returns its address.
func nginx(t *testing.T, first, second string) string {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("nginx is not installed")
	}
	folder, addr := t.TempDir(), freeAddr(t)
	conf := filepath.Join(folder, "conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, folder, first, second, addr), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, program, "-c", conf, "-p", folder)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = command.Wait()
		if said, err := os.ReadFile(filepath.Join(folder, "error.log")); err == nil && t.Failed() {
			t.Logf("nginx: %s", said)
		}
	})
	return addr
}

// nginx does not send a POST anew that met a connection which was closing: the
// caller would not know whether it was done.
func TestARollingRestartBehindNginxLosesNoPOST(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("restarts servers for many seconds")
	}
	database := pgtest.URL(t)
	addrs := []string{freeAddr(t), freeAddr(t)}
	proxy := nginx(t, addrs[0], addrs[1])
	serve := func(n int) *instance {
		return start(t, func(s *Settings) { s.Addr, s.DatabaseURL, s.Drain, s.Worker = addrs[n], database, time.Second, false })
	}
	servers := []*instance{serve(0), serve(1)}
	caller := newInstance(t)
	var sent, lost atomic.Int64
	var enough atomic.Bool
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for !enough.Load() {
				sent.Add(1)
				if err := postThrough(caller, proxy); err != nil {
					lost.Add(1)
					t.Error(err)
				}
			}
		})
	}
	defer callers.Wait()
	defer enough.Store(true)
	for round := range 6 {
		n := round % 2
		servers[n].stop()
		servers[n] = serve(n)
	}
	t.Logf("lost %d of %d", lost.Load(), sent.Load())
}

func postThrough(i *instance, proxy string) error {
	request := i.post(bookingService+"ListBookings", "application/json", strings.NewReader("{}"), i.as(booking.RoleCustomer, "cara"))
	request.URL.Host = proxy
	response, err := i.http1.RoundTrip(request)
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
