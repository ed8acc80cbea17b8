package app

import (
	"net/http"
	"strings"
	"testing"

	h2 "golang.org/x/net/http2"

	"bookings/internal/booking"
	"bookings/internal/h2test"
)

// nginx goes on sending the body, and shows its client the reset in place of the answer.
func TestAnAnswerThatComesBeforeTheBodyIsNotFollowedByAReset(t *testing.T) {
	t.Parallel()
	i := bare(t)
	conn := h2test.Dial(t, i.addr)
	for n := range uint32(50) {
		stream := 2*n + 1
		conn.Head(stream, false, ":method", "POST", ":scheme", "http", ":authority", "server",
			":path", bookingService+"CreateBooking", "content-type", "application/grpc", "te", "trailers")
		for _, part := range []string{framed(0, 4, "ab"), "cd", ""} {
			if err := conn.WriteData(stream, part == "", []byte(part)); err != nil {
				t.Fatal(err)
			}
		}
		ended := conn.Await(func(f h2.Frame) bool {
			headers, answered := f.(*h2.MetaHeadersFrame)
			_, reset := f.(*h2.RSTStreamFrame)
			return reset || answered && headers.StreamEnded()
		})
		if _, reset := ended.(*h2.RSTStreamFrame); reset || ended == nil {
			t.Fatalf("stream %d ended with %v", stream, ended)
		}
		if err := conn.WritePing(false, [8]byte{1}); err != nil {
			t.Fatal(err)
		}
		after := conn.Await(func(f h2.Frame) bool {
			_, reset := f.(*h2.RSTStreamFrame)
			return reset || f.Header().Type == h2.FramePing
		})
		if _, reset := after.(*h2.RSTStreamFrame); reset || after == nil {
			t.Fatalf("stream %d was answered, and then came %v", stream, after)
		}
	}
}

// nginx takes a length of 0 for the end of the answer, before the trailers.
func TestARefusalOverGRPCHasNoLengthBesideItsTrailers(t *testing.T) {
	t.Parallel()
	i := bare(t)
	for path, body := range map[string]string{
		bookingService + "CreateBooking": framed(0, 70<<10, strings.Repeat(" ", 70<<10)),
		bookingService + "Nothing":       framed(0, 0, ""),
	} {
		response, err := i.http2.RoundTrip(i.post(path, "application/grpc", strings.NewReader(body), i.as(booking.RoleCustomer, "cara")))
		if err != nil {
			t.Fatal(err)
		}
		got := grpcAnswer(i, response)
		if length := response.Header.Values("Content-Length"); got.http != http.StatusOK || got.code() == 0 || len(length) > 0 {
			t.Errorf("%s: %v, Content-Length: %q", path, got, length)
		}
	}
}
