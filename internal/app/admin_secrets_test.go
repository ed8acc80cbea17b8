package app

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/encoding/protojson"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
	"bookings/internal/identity"
	"bookings/internal/pgtest"
	"bookings/internal/redistest"
)

const (
	jwtSecret      = "SHOWN-the-secret-that-signs-all-tokens"
	internalSecret = "SHOWN-the-token-of-services-of-ours"
	databaseSecret = "SHOWN-the-database-password"
	redisSecret    = "SHOWN-the-redis-password"
	writtenSecret  = "SHOWN-what-callers-write"
	personSecret   = "SHOWN-who-callers-are"
)

// shown is what all that must be shown nowhere has in it. Ids of bookings and of
// requests do not: those of jobs are what jobs are about, and a span has its
// request's; metrics and profiles have neither.
const shown = "SHOWN"

// pages are all that operators are shown, but the page of jobs and its assets, which
// are files. Profiles are compressed where no debug asks for text.
var pages = []string{
	"/metrics", "/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/goroutine?debug=1", "/debug/pprof/goroutine?debug=2",
	"/debug/pprof/goroutine", "/debug/pprof/heap?debug=1", "/debug/pprof/heap", "/debug/pprof/allocs?debug=1", "/debug/pprof/allocs",
	"/debug/pprof/block?debug=1", "/debug/pprof/mutex?debug=1", "/debug/pprof/threadcreate?debug=1", "/debug/pprof/profile?seconds=1",
	"/debug/pprof/trace?seconds=1", "/debug/pprof/symbol", "/jobs/api/states", "/jobs/api/queues", "/jobs/api/queues/reminders",
	"/jobs/api/jobs?state=scheduled", "/jobs/api/jobs?state=completed", "/jobs/api/jobs?state=cancelled", "/jobs/api/jobs/1", "/jobs/api/features",
}

// Operators are asked for no credentials, so what they see must be worth none; and
// traces leave the house.
func TestNothingSecretIsShownToOperators(t *testing.T) {
	t.Parallel()
	to := newReceiver(t)
	i := start(t, withAdmin, withSecrets(t), func(s *Settings) { s.TraceEndpoint, s.LogLevel = to.URL, slog.LevelDebug })
	i.awaitf(func() bool { _, found := i.readiness(); return found.Redis == "ok" }, "Redis")
	cara := i.secretly(booking.RoleCustomer)
	stream := i.send(i.post("/bookings.v1.EventService/StreamEvents", "application/connect+json", strings.NewReader(framed(0, 2, "{}")), cara))
	defer stream.Body.Close()
	socket, _, err := websocket.Dial(t.Context(), i.url()+"/ws", &websocket.DialOptions{HTTPHeader: cara})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.CloseNow() }()
	i.callSecretly(cara)
	for _, page := range pages {
		if found := i.show(page); found != "" {
			t.Errorf("%s shows %s", page, found)
		}
	}
	_ = stream.Body.Close()
	_ = socket.CloseNow()
	i.stop() // sends what is left
	to.mu.Lock()
	defer to.mu.Unlock()
	if len(to.sent) == 0 {
		t.Error("nothing is traced")
	}
	for _, span := range to.sent {
		text, err := protojson.Marshal(span)
		if err != nil {
			t.Fatal(err)
		}
		if found := secretIn(string(text)); found != "" {
			t.Errorf("a span tells %s", found)
		}
	}
}

// withSecrets gives a server secrets in all its settings.
func withSecrets(t *testing.T) func(*Settings) {
	t.Helper()
	_, through := newProxy(t, pgtest.URL(t)) // by TCP, where a URL can have a password
	database, err := url.Parse(through)
	if err != nil {
		t.Fatal(err)
	}
	database.User = url.UserPassword(database.User.Username(), databaseSecret)
	redis := redistest.Start(t)
	client := redis.Client()
	if err := client.ConfigSet(t.Context(), "requirepass", redisSecret).Err(); err != nil {
		t.Fatal(err)
	}
	return func(s *Settings) {
		s.JWTSecret, s.InternalTokens, s.DatabaseURL = jwtSecret, []string{internalSecret}, database.String()
		s.RedisURL = strings.Replace(redis.URL(), "unix://", "unix://:"+redisSecret+"@", 1)
		s.RateLimit, s.ReminderLeads = 600, []time.Duration{10 * time.Minute}
	}
}

// callSecretly makes calls that say what nobody else may read, well and badly.
func (i *instance) callSecretly(cara http.Header) {
	i.t.Helper()
	paul := i.secretly(booking.RoleProvider)
	for _, at := range []time.Time{soon(48), soon(48), time.Now().Add(time.Minute)} { // the second wants the slot of the first; the last is reminded of
		made := &bookingsv1.CreateBookingRequest{
			ProviderId: personSecret + "-provider", StartTime: stamp(at), EndTime: stamp(at.Add(time.Minute)),
			Note: writtenSecret, Metadata: map[string]string{"said": writtenSecret}, IdempotencyKey: writtenSecret + at.Format(time.RFC3339),
		}
		for _, door := range doors {
			door.call(i, call{method: "CreateBooking", request: made, header: cara})
		}
		created := curl(i, call{method: "CreateBooking", request: made, header: cara})
		if created.response != nil && at.After(time.Now().Add(time.Hour)) {
			curl(i, call{method: "CancelBooking", request: &bookingsv1.CancelBookingRequest{Id: idOf(i.t, created), Reason: writtenSecret}, header: paul})
		}
	}
	for _, door := range doors {
		door.call(i, call{method: "CreateBooking", raw: []byte(`{"note":["` + writtenSecret), header: cara})
		door.call(i, harmless(http.Header{"Authorization": {"Bearer " + writtenSecret}}))
		door.call(i, harmless(http.Header{"X-Internal-Token": {internalSecret}}))
	}
	i.exchange(i.get("/"+writtenSecret+"?"+writtenSecret, http.Header{"User-Agent": {writtenSecret}, "Tracestate": {"a=" + writtenSecret}}))
	i.awaitf(func() bool { return i.scrape()["bookings_reminder_lateness_seconds_count"] == "1" }, "a reminder")
}

// secretly are credentials under this server's secret.
func (i *instance) secretly(role booking.Role) http.Header {
	i.t.Helper()
	token, err := identity.Sign([]byte(jwtSecret), booking.Actor{Role: role, ID: personSecret + "-" + string(role)}, "", "", time.Now(), time.Hour)
	if err != nil {
		i.t.Fatal(err)
	}
	return http.Header{"Authorization": {"Bearer " + token}}
}

// show reads a page, and says what secret is in it.
func (i *instance) show(page string) string {
	i.t.Helper()
	response, body := i.admin.exchange(i.admin.get(page, http.Header{}))
	if want := !strings.Contains(page, "cmdline"); want != (response.StatusCode == http.StatusOK) {
		i.t.Errorf("%s is answered %s", page, response.Status)
	}
	if unpacked, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
		if body, err = io.ReadAll(unpacked); err != nil {
			i.t.Fatal(err)
		}
	}
	return secretIn(string(body))
}

// secretIn is the first secret in a text, with what is around it. The tokens
// themselves begin as every JWT does.
func secretIn(text string) string {
	for _, secret := range []string{shown, "eyJ"} {
		if at := strings.Index(text, secret); at >= 0 {
			return text[max(0, at-100):min(len(text), at+100)]
		}
	}
	return ""
}
