//go:build unix

package app

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"bookings/internal/booking"
	"bookings/internal/identity"
	"bookings/internal/pgtest"
	"bookings/internal/programtest"
)

// BenchmarkCalls measures whole calls inside one process, from the outer handler
// to PostgreSQL and back, without a network: what a door costs beside another.
// cpu-µs/op is this process's CPU time, PostgreSQL's own not counted. Compare
// figures of one run only.
func BenchmarkCalls(b *testing.B) {
	for _, bench := range []struct {
		name string
		// request makes the request of call n about the first of the bookings.
		request func(d *benchDesk, n int) *http.Request
	}{
		{"get/Connect", func(d *benchDesk, _ int) *http.Request {
			return d.post(bookingService+"GetBooking", fmt.Sprintf(`{"id":%q}`, d.id))
		}},
		{"get/REST", func(d *benchDesk, _ int) *http.Request { return d.get("/v1/bookings/" + d.id) }},
		{"list/Connect", func(d *benchDesk, _ int) *http.Request {
			return d.post(bookingService+"ListBookings", `{"pageSize":20}`)
		}},
		{"list/REST", func(d *benchDesk, _ int) *http.Request { return d.get("/v1/bookings?pageSize=20") }},
		{"create/Connect", func(d *benchDesk, n int) *http.Request { return d.post(bookingService+"CreateBooking", d.slot(n)) }},
		{"create/REST", func(d *benchDesk, n int) *http.Request { return d.post("/v1/bookings", d.slot(n)) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			d := openBenchDesk(b)
			requests := make([]*http.Request, b.N)
			for n := range requests {
				requests[n] = bench.request(d, n+benchBookings)
			}
			b.ReportAllocs()
			before := cpuTime(b)
			b.ResetTimer()
			for _, request := range requests {
				d.do(request)
			}
			b.StopTimer()
			b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

// benchBookings is how many bookings the provider has when a benchmark begins.
const benchBookings = 20

// benchDesk is the server's handler without a network.
type benchDesk struct {
	b       *testing.B
	handler http.Handler
	token   string
	begin   time.Time
	// id is of a booking of the caller's.
	id string
}

func openBenchDesk(b *testing.B) *benchDesk {
	b.Helper()
	settings := Settings{
		DatabaseURL: pgtest.URL(b), JWTSecret: testSecret, MaxPending: 10, ReminderLeads: []time.Duration{10 * time.Minute}, FeedRetention: time.Hour,
	}
	server, err := New(b.Context(), settings, slog.New(slog.NewJSONHandler(&programtest.Text{}, nil)))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(server.closeStores)
	token, err := identity.Sign([]byte(testSecret), booking.Actor{Role: booking.RoleProvider, ID: "paul"}, "", "", time.Now(), time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	d := &benchDesk{b: b, handler: server.listeners[0].http.Handler, token: token, begin: time.Now().Add(-10 * 365 * 24 * time.Hour).Truncate(time.Hour)}
	for n := range benchBookings {
		made := d.do(d.post("/v1/bookings", d.slot(n)))
		_, rest, _ := strings.Cut(made, `"id":`)
		d.id = strings.Split(rest, `"`)[1]
	}
	return d
}

// slot asks for the n-th half hour.
func (d *benchDesk) slot(n int) string {
	start := d.begin.Add(time.Duration(n) * 30 * time.Minute)
	return fmt.Sprintf(`{"customerId":"cara","startTime":%q,"endTime":%q,"note":"a haircut","idempotencyKey":"key-%d"}`,
		start.Format(time.RFC3339), start.Add(30*time.Minute).Format(time.RFC3339), n)
}

func (d *benchDesk) post(path, body string) *http.Request {
	request := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+d.token)
	return request
}

func (d *benchDesk) get(path string) *http.Request {
	request := httptest.NewRequest(http.MethodGet, path, http.NoBody)
	request.Header.Set("Authorization", "Bearer "+d.token)
	return request
}

// do fails the benchmark unless the call succeeds.
func (d *benchDesk) do(request *http.Request) string {
	d.b.Helper()
	recorder := httptest.NewRecorder()
	d.handler.ServeHTTP(recorder, request)
	if recorder.Code != http.StatusOK {
		d.b.Fatalf("%d: %s", recorder.Code, recorder.Body)
	}
	return recorder.Body.String()
}

// cpuTime is what this process has used of the processors so far.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
