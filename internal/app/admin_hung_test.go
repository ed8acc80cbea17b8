package app

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"bookings/internal/booking"
	"bookings/internal/pgtest"
)

// scrapePatience is Prometheus's own, where nothing else is said. It is no measure of
// speed.
const scrapePatience = 10 * time.Second

// Where connections are open and nothing comes back, a scrape has what needs no
// database, and says that the rest is missing. More than a few are refused.
func TestScrapesOfADatabaseThatSwallowsAreAnsweredOrRefused(t *testing.T) {
	t.Parallel()
	proxy, url := newProxy(t, pgtest.URL(t))
	i := start(t, withAdmin, func(s *Settings) { s.DatabaseURL = url })
	const listed = `bookings_requests_total{code="ok",method="/bookings.v1.BookingService/ListBookings"}`
	i.exchange(i.get("/v1/bookings", i.as(booking.RoleCustomer, "cara")))
	i.awaitf(func() bool { return i.scrape()[listed] == "1" }, "the request")
	proxy.stall()
	answered := make(chan int, 8) // more than are answered at a time
	i.awaitf(func() bool {        // what has just been read is told for a while
		for range cap(answered) {
			go func() { answered <- i.scrapeHung(listed) }()
		}
		refused := false
		for range cap(answered) {
			refused = <-answered == http.StatusServiceUnavailable || refused
		}
		return refused
	}, "scrapes that are refused, as others ask")
	proxy.resume()
	i.awaitf(func() bool { return i.scrape()["bookings_database_read"] == "1" }, "figures of the database")
}

// scrapeHung scrapes while the database may hang, and finds what is wrong with the
// answer. counted is a figure that needs no database.
func (i *instance) scrapeHung(counted string) int {
	ctx, cancel := context.WithTimeout(i.t.Context(), scrapePatience)
	defer cancel()
	response, err := i.admin.http1.RoundTrip(i.admin.get("/metrics", http.Header{}).WithContext(ctx))
	if err != nil {
		i.t.Errorf("a scrape is not answered: %v", err)
		return http.StatusServiceUnavailable // there is no use in waiting for one
	}
	body := string(readAll(i.t, response))
	has := func(name string) bool { return strings.Contains(body, "\n"+name) }
	switch unread := has("bookings_database_read 0\n"); {
	case response.StatusCode == http.StatusServiceUnavailable:
	case response.StatusCode != http.StatusOK || !has(counted) || !has("go_goroutines "):
		i.t.Errorf("what needs no database is missing: %s %s", response.Status, body)
	case unread && (has("bookings_jobs") || has("bookings_outbox")):
		i.t.Errorf("what could not be read is told: %s", body)
	case !unread && !has("bookings_database_read 1\n"):
		i.t.Errorf("nobody says whether the database was read: %s", body)
	}
	return response.StatusCode
}

// Who looks at jobs that cannot be read leaves connections to those who work them.
func TestFewRequestsForJobsAskAtATime(t *testing.T) {
	t.Parallel()
	asks, answer := make(chan struct{}, 20), make(chan struct{})
	letGo := sync.OnceFunc(func() { close(answer) })
	defer letGo()
	handler := atATime(maxLooks, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asks <- struct{}{}
		<-answer
	}))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{}, cap(asks))
	for range cap(asks) {
		go func() {
			request, _ := http.NewRequestWithContext(ctx, http.MethodGet, "/jobs/api/jobs", nil)
			handler.ServeHTTP(nil, request)
			ended <- struct{}{}
		}()
	}
	for range maxLooks {
		<-asks
	}
	stop() // the others give up, and were never let in
	for range cap(asks) - maxLooks {
		select {
		case <-ended:
		case <-asks:
			t.Fatalf("more than %d ask", maxLooks)
		}
	}
	letGo()
	for range maxLooks {
		<-ended
	}
}
