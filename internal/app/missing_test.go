package app

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"bookings/internal/booking"
)

// Cloud load balancers ask gRPC servers for a method that is not there.
func TestAGRPCCallOfWhatIsNotThereIsUnimplemented(t *testing.T) {
	t.Parallel()
	i := bare(t)
	for _, path := range []string{
		bookingService + "Nothing", "/bookings.v1.BookingService/", "/bookings.v1.BookingService", "/no.such.Service/Method",
		"/AWS.ALB/healthcheck", "/", "/v1/no.such", "/v1", "/health", "/ws", "//v1/bookings", healthCheck + "/x", "/grpc.health.v1.Health/Nothing",
	} {
		for media, transport := range map[string]*http.Transport{
			"application/grpc": i.http2, "application/grpc+proto": i.http2, "application/grpc-web": i.http1,
		} {
			response, err := transport.RoundTrip(i.post(path, media, strings.NewReader(framed(0, 0, "")), http.Header{}))
			if err != nil {
				t.Fatal(err)
			}
			got := grpcAnswer(i, response)
			if got.http != http.StatusOK || got.verdict() != unsupported || got.header.Get("Content-Type") != media {
				t.Errorf("%s of %s: %v %v", media, path, got, got.header)
			}
		}
	}
}

func TestARefusalOfACompressionNamesNone(t *testing.T) {
	t.Parallel()
	i := bare(t)
	header := i.as(booking.RoleCustomer, "cara")
	header.Set("Grpc-Encoding", "br")
	got := i.grpcRaw(bookingService+"CreateBooking", "application/grpc", framed(0, 0, ""), header)
	if names, given := got.header["Grpc-Encoding"]; got.verdict() != unsupported || given {
		t.Errorf("%v, Grpc-Encoding: %q", got, names)
	}
}

// Each of these was a redirect of http.ServeMux, with a page in HTML.
func TestNoPathIsRedirected(t *testing.T) {
	t.Parallel()
	i := bare(t)
	for _, path := range []string{
		"/v1", "//v1/bookings", "/v1//bookings", "/x/../v1/bookings", "/v1/./bookings", "/bookings.v1.BookingService",
		"/bookings.v1.BookingService//CreateBooking", "/grpc.health.v1.Health", "//health", "/health/", "/health/../ws", "//", "/%2e%2e/v1",
	} {
		for _, verb := range []string{"GET", "POST"} {
			request := i.post(path, "application/json", strings.NewReader("{}"), i.as(booking.RoleCustomer, "cara"))
			if request.Method = verb; verb == "GET" {
				request.Body, request.ContentLength = nil, 0
			}
			request.URL.Opaque = "//" + i.addr + path // as it is
			response, body := i.exchange(request)
			if response.StatusCode != http.StatusNotFound || !json.Valid(body) || response.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s %s: %s %v %s", verb, path, response.Status, response.Header, body)
			}
		}
	}
}

func TestConnectIsToldInItsFormThatAServiceIsNotThere(t *testing.T) {
	t.Parallel()
	i := bare(t)
	request := i.post("/no.such.Service/Method", "application/proto", io.LimitReader(nil, 0), http.Header{})
	got := connectAnswer(i, i.send(request))
	if checkVerdict(t, "Connect", got, unsupported); got.http != http.StatusNotFound {
		t.Errorf("HTTP status %d", got.http)
	}
}
