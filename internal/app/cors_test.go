package app

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"bookings/internal/booking"
)

const ourPage = "https://page.example"

func allow(origins ...string) func(*bareServer) {
	return func(b *bareServer) { b.settings.AllowedOrigins = origins }
}

// preflight asks, as a browser does, whether a page may send what it means to.
func (i *instance) preflight(origin, path, verb string, headers ...string) http.Header {
	i.t.Helper()
	request := i.get(path, http.Header{})
	request.Method = http.MethodOptions
	request.Header.Set("Origin", origin)
	request.Header.Set("Access-Control-Request-Method", verb)
	slices.Sort(headers)
	request.Header.Set("Access-Control-Request-Headers", strings.Join(headers, ","))
	response, _ := i.exchange(request)
	if origin == ourPage && response.StatusCode != http.StatusNoContent {
		i.t.Errorf("OPTIONS %s: %s", path, response.Status)
	}
	return response.Header
}

func TestBrowsersOnAllowedOriginsMayUseEveryHTTPDoor(t *testing.T) {
	t.Parallel()
	i := bare(t, allow("https://other.example", ourPage))
	ours := []string{"authorization", "content-type", "idempotency-key", "x-request-id"}
	for _, door := range []struct {
		path, verb string
		headers    []string
	}{
		{bookingService + "CreateBooking", "POST", []string{"connect-protocol-version", "connect-timeout-ms"}},
		{bookingService + "ListBookings", "GET", nil},
		{bookingService + "CreateBooking", "POST", []string{"grpc-timeout", "x-grpc-web", "x-user-agent"}},
		{"/v1/bookings", "POST", nil},
		{"/v1/bookings/" + nobodys + ":cancel", "POST", nil},
		{"/v1/bookings", "GET", nil},
		{"/v1/bookings/" + nobodys, "PATCH", []string{"if-match"}},
	} {
		allowed := i.preflight(ourPage, door.path, door.verb, append(door.headers, ours...)...)
		if allowed.Get("Access-Control-Allow-Origin") != ourPage || allowed.Get("Access-Control-Allow-Methods") != door.verb {
			t.Errorf("%s %s: %v", door.verb, door.path, allowed)
		}
		refused := i.preflight("https://evil.example", door.path, door.verb, ours...)
		if origin := refused.Get("Access-Control-Allow-Origin"); origin != "" {
			t.Errorf("%s %s: a foreign origin may: %v", door.verb, door.path, refused)
		}
		traced := i.preflight(ourPage, door.path, door.verb, "traceparent", "x-b3-traceid", "x-anything", "authorization")
		if allowed := traced.Get("Access-Control-Allow-Headers"); allowed != "authorization,traceparent,x-anything,x-b3-traceid" {
			t.Errorf("%s %s: a page with tracing may send %q", door.verb, door.path, allowed)
		}
	}
}

func TestBrowsersMayReadTheHeadersOfAnswers(t *testing.T) {
	t.Parallel()
	i := bare(t, allow(ourPage), limit(newClockwork()))
	exposed := []string{
		"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After", "X-Request-Id",
		"Idempotent-Replayed", "Grpc-Status", "Grpc-Message", "Grpc-Status-Details-Bin",
	}
	for _, door := range doors {
		if door.name == "grpc-go" {
			continue // no browser
		}
		for _, who := range []http.Header{i.as(booking.RoleCustomer, "cara"), {}} {
			who.Set("Origin", ourPage)
			got := door.call(i, harmless(who))
			told := http.CanonicalHeaderKey(got.header.Get("Access-Control-Expose-Headers"))
			for _, name := range exposed {
				if !strings.Contains(strings.ToLower(told), strings.ToLower(name)) {
					t.Errorf("%s: %s is not exposed: %s", door.name, name, told)
				}
			}
			if got.header.Get("Access-Control-Allow-Origin") != ourPage || !strings.Contains(got.header.Get("Vary"), "Origin") {
				t.Errorf("%s: %v", door.name, got.header)
			}
			who.Set("Origin", "https://evil.example")
			if foreign := door.call(i, harmless(who)); foreign.header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s: a foreign origin may read: %v", door.name, foreign.header)
			}
		}
	}
}

func TestAnyOriginOrNone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change func(*bareServer)
		want   string
	}{
		{allow("*"), "*"},
		{allow(), ""},
	} {
		i := bare(t, c.change)
		response, _ := i.exchange(i.get("/v1/bookings", http.Header{"Origin": {ourPage}}))
		if got := response.Header.Get("Access-Control-Allow-Origin"); got != c.want {
			t.Errorf("any page may read: %q, want %q", got, c.want)
		}
	}
}
