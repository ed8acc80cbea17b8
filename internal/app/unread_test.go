package app

import (
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	h2 "golang.org/x/net/http2"

	"bookings/internal/booking"
	"bookings/internal/h2test"
	"bookings/internal/identity"
)

var noWindow = h2.Setting{ID: h2.SettingInitialWindowSize, Val: 0}

// A window of 100 bytes takes the first message, and no other: neither the last.
func TestAStreamsEndIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for time-outs")
	}
	i := start(t)
	token, err := identity.Sign([]byte(testSecret), booking.Actor{Role: booking.RoleCustomer, ID: "cara"}, "", "", time.Now(), 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	conn := h2test.Dial(t, i.addr, h2.Setting{ID: h2.SettingInitialWindowSize, Val: 100})
	conn.Head(1, false, ":method", "POST", ":scheme", "http", ":authority", "server",
		":path", "/bookings.v1.EventService/StreamEvents", "content-type", "application/connect+json", "authorization", "Bearer "+token)
	if err := conn.WriteData(1, true, []byte(framed(0, 2, "{}"))); err != nil {
		t.Fatal(err)
	}
	if status := conn.Status(1); status != "200" {
		t.Fatalf("the stream is not there: %q", status)
	}
	if conn.Await(func(f h2.Frame) bool { return f.Header().Type == h2.FrameRSTStream }) == nil {
		t.Error("the connection has ended, not the stream")
	}
	i.awaitf(func() bool { return strings.Contains(i.log.String(), `"code":"unauthenticated"`) }, "the stream's line")
}

// Though answers may take 30 seconds to leave.
func TestAShutdownDoesNotWaitForPeersWhoDoNotRead(t *testing.T) {
	t.Parallel()
	const most = 3 * time.Second
	i := start(t, func(s *Settings) { s.ShutdownTimeout = most })
	for range 20 {
		conn := h2test.Dial(t, i.addr, noWindow)
		for stream := range uint32(20) {
			conn.Request(2*stream+1, http.MethodGet, "/v1/bookings")
		}
		conn.Status(39) // headers need no window
	}
	began := time.Now()
	i.stop() // it fails the test where the server ends with an error
	// Far from the 30 seconds of an answer, also on a machine that is busy.
	if took := time.Since(began); took > 5*most {
		t.Errorf("the shutdown took %v of %v", took, most)
	}
}

// A reset that cannot be written frees nothing, so the connection has to end.
func TestAPeerWhoReadsNothingOfAConnectionIsCutOff(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	server := newHTTPServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(make([]byte, 16<<20))
		ended <- err
	}), slog.New(slog.DiscardHandler))
	server.HTTP2.WriteByteTimeout /= 20 // it is set, and need not be waited for
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	conn := h2test.Dial(t, listener.Addr().String(), h2.Setting{ID: h2.SettingInitialWindowSize, Val: 1<<31 - 1})
	if err := conn.WriteWindowUpdate(0, 1<<30); err != nil {
		t.Fatal(err)
	}
	conn.Request(1, http.MethodGet, "/")
	select {
	case err := <-ended:
		if err == nil {
			t.Error("all of the answer has left")
		}
	case <-time.After(20 * time.Second):
		t.Error("the answer is still waiting")
	}
}
