package app

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"bookings/internal/booking"
)

// haproxyConf stands in front of servers as HAProxy's manual has it: what comes
// by HTTP/2 goes on as h2c, which gRPC needs. Where all clients are on one
// machine, they say by a header from which address they would come.
const haproxyConf = `
defaults
  mode http
  option forwardfor
  option httpchk GET /health/ready
  option redispatch
  http-reuse always
  timeout connect 5s
  timeout check 5s
  timeout client %[1]s
  timeout server %[1]s
  timeout tunnel 30s
  default-server check inter 100ms fall 2 rise 1
frontend clients
  bind %[2]s
  monitor-uri /all-up
  monitor fail if { nbsrv(http1) lt %[3]d } || { nbsrv(http2) lt %[3]d }
  http-request set-src hdr(Client-Address) if { req.hdr(Client-Address) -m found }
  use_backend http2 if { req.ver 2.0 }
  default_backend http1
backend http1%[4]s
backend http2%[5]s
`

// haproxy runs one in front of servers, and is a client behind it. It cuts off
// what is silent for timeout.
func haproxy(t *testing.T, timeout string, servers ...string) *instance {
	t.Helper()
	proxy := newInstance(t)
	proxy.addr = freeAddr(t)
	var plain, h2c strings.Builder
	for n, addr := range servers {
		_, _ = fmt.Fprintf(&plain, "\n  server s%d %s", n, addr)
		_, _ = fmt.Fprintf(&h2c, "\n  server s%d %s proto h2", n, addr)
	}
	conf := fmt.Sprintf(haproxyConf, timeout, proxy.addr, len(servers), &plain, &h2c)
	startProxy(t, conf, []string{proxy.addr}, "haproxy", "-db", "-f", "conf")
	return proxy
}

// awaitAll returns when HAProxy has found all servers ready.
func (i *instance) awaitAll() {
	i.t.Helper()
	i.awaitf(func() bool {
		response, _ := i.exchange(i.get("/all-up", http.Header{}))
		return response.StatusCode == http.StatusOK
	}, "HAProxy finds all servers ready")
}

func TestASilentStreamSurvivesBehindHAProxy(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for a proxy's time-out")
	}
	const timeout = time.Second // of the proxy
	s := startStreaming(t, silent(timeout/4))
	proxy := haproxy(t, "1s", s.addr)
	addrs := map[string]string{}
	for dialect := range dialects {
		addrs[dialect] = proxy.addr
	}
	s.survivesSilence(timeout, addrs)
}

// Sockets are pinged each 25 seconds.
func TestASilentSocketSurvivesBehindHAProxy(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for a proxy's time-out")
	}
	const tunnel = 30 * time.Second // the proxy's time-out for sockets
	s := startStreaming(t)
	proxy := haproxy(t, "1s", s.addr)
	socket, _, err := websocket.Dial(t.Context(), proxy.url()+"/ws", &websocket.DialOptions{HTTPHeader: s.as(booking.RoleProvider, "pat")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.CloseNow() }()
	if _, ready, err := socket.Read(t.Context()); err != nil || !strings.Contains(string(ready), "stream.ready") {
		t.Fatalf("the socket began with %q, %v", ready, err)
	}
	read := make(chan string, 1)
	go func() { // a client answers pings while it reads
		_, frame, err := socket.Read(t.Context())
		read <- fmt.Sprintf("%s, %v", frame, err)
	}()
	select {
	case frame := <-read:
		t.Fatalf("in the silence came %s", frame)
	case <-time.After(tunnel + 2*time.Second):
	}
	s.publish(1)
	if frame := <-read; !strings.Contains(frame, "booking.rescheduled") {
		t.Errorf("on the socket came %s", frame)
	}
}

// HAProxy appends the client's address in a header of its own, below one that
// the client made up.
func TestClientsBehindHAProxyAreToldApart(t *testing.T) {
	t.Parallel()
	s := start(t, func(s *Settings) {
		s.RateLimit, s.TrustedProxies = 1, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	proxy := haproxy(t, "10s", s.addr)
	proxy.awaitAll()
	from := func(address, claimed string) call {
		return harmless(http.Header{"Client-Address": {address}, "X-Forwarded-For": {claimed}})
	}
	checkVerdict(t, "the first", curl(proxy, from("192.0.2.1", "192.0.2.9")), tokenMissing)
	for _, door := range doors {
		checkVerdict(t, door.name, door.call(proxy, from("192.0.2.1", "192.0.2.2")), limited)
	}
	checkVerdict(t, "another", overGRPC(proxy, from("192.0.2.2", "192.0.2.1")), tokenMissing)
}

func TestARollingRestartBehindHAProxyLosesNoPOST(t *testing.T) {
	t.Parallel()
	for name, transport := range map[string]func(*instance) http.RoundTripper{"HTTP/1.1": http1, "HTTP/2": http2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			servers := startReplicas(t)
			proxy := haproxy(t, "1m", servers.addrs[0], servers.addrs[1])
			servers.restartWhile(func() error { return postThrough(proxy, transport(proxy)) }, proxy.awaitAll)
		})
	}
}
