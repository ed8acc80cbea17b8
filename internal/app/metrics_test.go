package app

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"bookings/internal/booking"
)

func withAdmin(s *Settings) { s.AdminAddr = "127.0.0.1:0" }

// scrape reads the metrics, by their names with labels.
func (i *instance) scrape() map[string]string {
	i.t.Helper()
	response, body := i.admin.exchange(i.admin.get("/metrics", http.Header{}))
	if response.StatusCode != http.StatusOK {
		i.t.Fatalf("a scrape is answered %s: %s", response.Status, body)
	}
	found := map[string]string{}
	for line := range strings.Lines(string(body)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "} "); ok {
			found[name+"}"] = value
		} else if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
			found[name] = value
		}
	}
	return found
}

func (i *instance) checkMetrics(want map[string]string) {
	i.t.Helper()
	got := i.scrape()
	for name, value := range want {
		if got[name] != value {
			i.t.Errorf("%s is %q, not %q", name, got[name], value)
		}
	}
}

func TestMetricsCountWhatHappens(t *testing.T) {
	t.Parallel()
	i := start(t, withAdmin, func(s *Settings) { s.ReminderLeads, s.RateLimit = []time.Duration{700 * time.Hour}, 60 })
	cara := i.as(booking.RoleCustomer, "cara-in-no-label")
	stream := i.send(i.post("/bookings.v1.EventService/StreamEvents", "application/connect+json", strings.NewReader(framed(0, 2, "{}")), cara))
	begin := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	for n := range 3 { // the last two want the same slot
		slot := begin.Add(time.Duration(min(n, 1)) * time.Hour)
		i.exchange(i.post("/v1/bookings", "application/json", strings.NewReader(fmt.Sprintf(
			`{"providerId":"paul-in-no-label","startTime":%q,"endTime":%q,"note":"a secret note"}`,
			slot.Format(time.RFC3339), slot.Add(time.Minute).Format(time.RFC3339))), cara))
	}
	i.exchange(i.get("/v1/bookings", http.Header{"Authorization": {"Bearer a-secret-token"}}))
	i.exchange(i.get("/health", http.Header{}))
	const count, create = "bookings_requests_total", `method="/bookings.v1.BookingService/CreateBooking"`
	i.awaitf(func() bool { return i.scrape()["bookings_reminder_lateness_seconds_count"] == "2" }, "reminders in the metrics")
	i.awaitf(func() bool { return i.scrape()["bookings_feed_delivered_total"] == "4" }, "events in the metrics")
	i.checkMetrics(map[string]string{
		count + `{code="ok",` + create + `}`:                                                 "2",
		count + `{code="already_exists",` + create + `}`:                                     "1",
		`bookings_request_duration_seconds_count{` + create + `}`:                            "3",
		count + `{code="unauthenticated",method="/bookings.v1.BookingService/ListBookings"}`: "1",
		count + `{code="200",method="/health"}`:                                              "1",
		`bookings_limit_calls_total{answer="allowed"}`:                                       "5",
		`bookings_limit_calls_total{answer="refused"}`:                                       "0",
		"bookings_streams_open":                                                              "1", "bookings_feed_readers": "1", "bookings_sockets_open": "0",
		"bookings_feed_dropped_total": "0", "bookings_database_read": "1",
		`bookings_pool_max_connections{pool="jobs"}`: "6", `bookings_jobs{queue="reminders",state="scheduled"}`: "0",
	})
	for name := range i.scrape() {
		if regexp.MustCompile(`in-no-label|secret|Bearer`).MatchString(name) {
			t.Errorf("a secret is shown: %s", name)
		}
	}
	_ = stream.Body.Close()
	i.awaitf(func() bool { return i.scrape()["bookings_streams_open"] == "0" }, "the stream's end in the metrics")
}

func TestCallersCannotMakeUpLabels(t *testing.T) {
	t.Parallel()
	i := start(t, withAdmin)
	i.exchange(i.get("/nothing/0", http.Header{}))
	i.awaitf(func() bool { return i.scrape()[`bookings_requests_total{code="unimplemented",method="other"}`] == "1" }, "the request in the metrics")
	before := len(i.scrape())
	for n := range 50 {
		for _, path := range []string{"/%d", "/health/%d", "/v1/%d", "/bookings.v1.BookingService/M%d", "/made.up%d/Method", "/v1/bookings/%d/x"} {
			request := i.get(fmt.Sprintf(path, n), http.Header{})
			if n%2 == 0 {
				request.Method = fmt.Sprintf("VERB%d", n)
			}
			i.exchange(request)
		}
	}
	i.awaitf(func() bool {
		var total int
		for name, value := range i.scrape() {
			if n := 0; strings.HasPrefix(name, "bookings_requests_total{") {
				_, _ = fmt.Sscan(value, &n)
				total += n
			}
		}
		return total == 301
	}, "all requests in the metrics")
	if after := len(i.scrape()); after > before+20 {
		t.Errorf("%d made-up paths have made %d figures of %d", 300, after, before)
	}
}

func TestOperatorsLookAtAPlaceOfTheirOwn(t *testing.T) {
	t.Parallel()
	i := start(t, withInternalSide, withAdmin)
	for path, want := range map[string]int{
		"/metrics": 200, "/debug/pprof/": 200, "/debug/pprof/goroutine?debug=1": 200, "/debug/pprof/cmdline": 404, "/health": 404, "/v1/bookings": 404,
	} {
		if response, _ := i.admin.exchange(i.admin.get(path, asInternal())); response.StatusCode != want {
			t.Errorf("%s is answered %s", path, response.Status)
		}
		for _, side := range []*instance{i, i.internal} {
			if response, _ := side.exchange(side.get(path, asInternal())); strings.HasPrefix(path, "/metrics") && response.StatusCode != http.StatusNotFound ||
				strings.HasPrefix(path, "/debug") && response.StatusCode != http.StatusNotFound {
				t.Errorf("%s is answered %s to callers", path, response.Status)
			}
		}
	}
}

func TestAScrapeGoesWithoutADatabaseThatHangs(t *testing.T) {
	t.Parallel()
	i := start(t, withAdmin)
	lock, err := i.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Exec(t.Context(), "LOCK TABLE river_job, event_outbox"); err != nil {
		t.Fatal(err)
	}
	answered := make(chan map[string]string, 8)
	for range cap(answered) { // more than are answered at a time
		go func() {
			_, body := i.admin.exchange(i.admin.get("/metrics", http.Header{}))
			answered <- map[string]string{"body": string(body)}
		}()
	}
	i.exchange(i.get("/health/ready", http.Header{}))
	for range cap(answered) {
		if body := (<-answered)["body"]; !strings.Contains(body, "bookings_database_read 0") && !strings.Contains(body, "Limit of concurrent requests") {
			t.Errorf("a scrape is answered %s", body)
		}
	}
	if err := lock.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	i.awaitf(func() bool { return i.scrape()["bookings_database_read"] == "1" }, "figures of the database")
}
