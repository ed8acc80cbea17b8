package app

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"bookings/internal/booking"
	"bookings/internal/pgtest"
	"bookings/internal/redistest"
)

// twoInstances are two instances of one installation, which know each other.
func twoInstances(t *testing.T) [2]*instance {
	t.Helper()
	database, server := pgtest.URL(t), redistest.Start(t)
	var both [2]*instance
	for n := range both {
		i := start(t, func(s *Settings) { s.DatabaseURL, s.RedisURL, s.RateLimit = database, server.URL(), 60 })
		i.awaitf(func() bool { _, found := i.readiness(); return found.Redis == "ok" }, "Redis carries events")
		both[n] = i
	}
	return both
}

func TestTheLimitHoldsOverTwoInstances(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs two instances")
	}
	both := twoInstances(t)
	customer := both[0].as(booking.RoleCustomer, "cara")
	began := time.Now()
	var mu sync.Mutex
	passed := 0
	var all sync.WaitGroup
	for _, i := range both {
		all.Go(func() {
			for range 80 {
				response, _ := i.exchange(i.get("/v1/bookings", customer))
				mu.Lock()
				if response.StatusCode == http.StatusOK {
					passed++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	refilled := int(time.Since(began)/time.Second) + 1
	alone := strings.Contains(both[0].log.String()+both[1].log.String(), "each instance limits alone")
	// Redis has 20 ms for an answer, which a busy machine may not keep: then there
	// are three buckets, Redis's and one of each instance.
	buckets := 1
	if alone {
		buckets = 3
	}
	if passed < 60 || passed > buckets*(60+refilled) {
		t.Errorf("%d calls passed of %d buckets", passed, buckets)
	}
}
