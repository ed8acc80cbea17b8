package app

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"bookings/internal/booking"
)

// late is the clock of a server whose deadlines for bodies are nearly over: they
// lie ten seconds after its present.
func late(b *bareServer) {
	b.now = func() time.Time { return time.Now().Add(-10*time.Second + 100*time.Millisecond) }
}

// A body that never ends must not hold a handler for ever.
func TestBodiesThatDoNotArriveAreGivenUp(t *testing.T) {
	t.Parallel()
	i := bare(t, late)
	const json, message = "application/json", `{"note":"`
	frame := framed(0, 1000, message)
	for _, slow := range []struct {
		name, path, media, body string
		read                    func(*instance, *http.Response) answer
		transport               *http.Transport
	}{
		{"Connect", bookingService + "CreateBooking", json, message, connectAnswer, i.http1},
		{"Connect over HTTP/2", bookingService + "CreateBooking", json, message, connectAnswer, i.http2},
		{"REST", "/v1/bookings", json, message, restAnswer, i.http1},
		{"REST over HTTP/2", "/v1/bookings", json, message, restAnswer, i.http2},
		{"gRPC-Web", bookingService + "CreateBooking", "application/grpc-web+json", frame, grpcAnswer, i.http1},
		{"gRPC", bookingService + "CreateBooking", "application/grpc+json", frame, grpcAnswer, i.http2},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		body, more := io.Pipe()
		go func() { _, _ = io.WriteString(more, slow.body) }()
		request := i.post(slow.path, slow.media, body, i.as(booking.RoleCustomer, "cara")).WithContext(ctx)
		response, err := slow.transport.RoundTrip(request)
		if err != nil {
			t.Fatal(slow.name, err)
		}
		got := slow.read(i, response)
		checkVerdict(t, slow.name, got, "DEADLINE_EXCEEDED DEADLINE_EXCEEDED")
		i.logged("request", got.header.Get("X-Request-Id"))
		_ = more.Close()
		cancel()
	}
}
