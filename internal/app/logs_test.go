package app

import (
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

// logged waits for the log line with this message and request id.
func (i *instance) logged(message, requestID string) map[string]any {
	i.t.Helper()
	var found map[string]any
	i.awaitf(func() bool {
		for line := range strings.Lines(i.log.String()) {
			var entry map[string]any
			if err := json.Unmarshal([]byte(line), &entry); err != nil {
				i.t.Fatalf("%v: %s", err, line)
			}
			if entry["msg"] == message && entry["requestId"] == requestID {
				found = entry
			}
		}
		return found != nil
	}, "log line %q of request %s", message, requestID)
	return found
}

// awaitf asks again and again until the condition holds.
func (i *instance) awaitf(holds func() bool, format string, args ...any) {
	i.t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(time.Minute) // others use this machine, too
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline:
			i.t.Fatalf("still none: "+format, args...)
		}
	}
}

func TestEveryRequestHasItsLogLine(t *testing.T) {
	t.Parallel()
	i := bare(t)
	cara := i.as(booking.RoleCustomer, "cara")
	for _, door := range doors {
		id := "door." + regexp.MustCompile(`\W`).ReplaceAllString(door.name, "")
		who := cara.Clone()
		who.Set("X-Request-Id", id)
		door.call(i, harmless(who))
		i.checkLine(id, bookingService+"ListBookings", "invalid_argument", "customer/cara")
	}
	for id, c := range map[string]struct {
		path, method, code, user string
		header                   http.Header
	}{
		"health":  {"/health?token=secret", "GET /health", "200", "", http.Header{}},
		"nothing": {"/nothing", "GET /nothing", "unimplemented", "", http.Header{}},
		"refused": {"/v1/bookings", bookingService + "ListBookings", "unauthenticated", "", http.Header{}},
		"socket":  {"/ws", "GET /ws", "unauthenticated", "", http.Header{}},
		"media":   {bookingService + "CreateBooking", "GET " + bookingService + "CreateBooking", "unimplemented", "", http.Header{}},
	} {
		c.header.Set("X-Request-Id", id)
		i.exchange(i.get(c.path, c.header))
		i.checkLine(id, c.method, c.code, c.user)
	}
}

func (i *instance) checkLine(id, method, code, user string) {
	i.t.Helper()
	line := i.logged("request", id)
	if line["method"] != method || line["code"] != code || line["user"] != user || line["peer"] != "127.0.0.1" {
		i.t.Errorf("%s: %v, want %s %s %q", id, line, method, code, user)
	}
	if duration, ok := line["durationMs"].(float64); !ok || duration < 0 {
		i.t.Errorf("%s: durationMs is %v", id, line["durationMs"])
	}
	want := []string{"code", "durationMs", "level", "method", "msg", "peer", "requestId", "time", "user"}
	if keys := slices.Sorted(maps.Keys(line)); !slices.Equal(keys, want) {
		i.t.Errorf("%s: the keys are %v, want %v", id, keys, want)
	}
}

func TestRequestIDsAreTakenOverOrMade(t *testing.T) {
	t.Parallel()
	i := bare(t)
	made := regexp.MustCompile(`^[0-9a-f-]{36}$`)
	for _, given := range []struct {
		id    string
		taken bool
	}{
		{"a", true},
		{"A-z_0.9", true},
		{strings.Repeat("a", 64), true},
		{"", false},
		{strings.Repeat("a", 65), false},
		{"a b", false},
		{`a"b`, false},
		{"a\tb", false},
		{"ключ", false},
	} {
		for _, door := range doors {
			if door.name == "grpc-go" && regexp.MustCompile(`[^ -~]`).MatchString(given.id) {
				continue // this client does not send it
			}
			who := i.as(booking.RoleCustomer, "cara")
			who.Set("X-Request-Id", given.id)
			got := door.call(i, harmless(who)).header.Get("X-Request-Id")
			if given.taken != (got == given.id) || !given.taken && !made.MatchString(got) {
				t.Errorf("%s: %q was answered by %q", door.name, given.id, got)
			}
			i.logged("request", got)
		}
	}
}

// The id of the request that made a booking follows it into its job.
func TestRequestIDsFollowABookingIntoItsJob(t *testing.T) {
	t.Parallel()
	i := start(t)
	paul := i.as(booking.RoleProvider, "paul")
	paul.Set("X-Request-Id", "the-request")
	id := idOf(t, curl(i, call{method: "CreateBooking", header: paul, request: &bookingsv1.CreateBookingRequest{
		CustomerId: "cara", StartTime: stamp(time.Now().Add(time.Minute)), EndTime: stamp(time.Now().Add(time.Hour)),
	}}))
	var due map[string]any
	i.awaitf(func() bool {
		for line := range strings.Lines(i.log.String()) {
			var entry map[string]any
			if json.Unmarshal([]byte(line), &entry) == nil && entry["bookingId"] == id {
				due = entry
			}
		}
		return due != nil
	}, "log line of the reminder")
	if due["requestId"] != "the-request" {
		t.Errorf("the reminder's line is %v", due)
	}
}

// Notes, reasons and credentials are in no log, not even in one that tells all.
func TestNotesAndCredentialsAreNeverLogged(t *testing.T) {
	t.Parallel()
	i := start(t, func(s *Settings) { s.LogLevel = slog.LevelDebug })
	cara, paul := i.as(booking.RoleCustomer, "cara"), i.as(booking.RoleProvider, "paul")
	const secret = "NOBODYS-BUSINESS"
	made := &bookingsv1.CreateBookingRequest{ProviderId: "paul", StartTime: stamp(soon(0)), EndTime: stamp(soon(1)), Note: secret}
	for _, door := range doors {
		created := door.call(i, call{method: "CreateBooking", request: made, header: cara})
		if created.response != nil {
			door.call(i, call{method: "CancelBooking", request: &bookingsv1.CancelBookingRequest{Id: idOf(t, created), Reason: secret}, header: paul})
		}
		bad := &bookingsv1.CreateBookingRequest{Note: strings.Repeat(secret, 100)}
		door.call(i, call{method: "CreateBooking", request: bad, header: cara})
		door.call(i, call{method: "CreateBooking", raw: []byte(`{"note":["` + secret), header: cara})
		door.call(i, harmless(http.Header{"Authorization": {"Basic " + secret}}))
		door.call(i, harmless(http.Header{"X-Internal-Token": {secret}}))
		door.call(i, harmless(asInternal()))
	}
	i.exchange(i.get("/v1/bookings?note="+secret, cara))
	i.exchange(i.get("/v1/bookings?page_size="+secret, cara))
	i.exchange(i.get("/ws?after="+secret, http.Header{"Sec-Websocket-Protocol": {"bookings.v1, bearer." + secret}}))
	i.stop()
	told := i.log.String()
	for _, secret := range []string{secret, testSecret, testInternal, strings.Split(cara.Get("Authorization"), ".")[2]} {
		if at := strings.Index(told, secret); at >= 0 {
			t.Errorf("%q is in the log: %s", secret, told[max(0, at-300):min(len(told), at+100)])
		}
	}
}
