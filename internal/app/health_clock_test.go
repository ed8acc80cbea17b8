package app

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"bookings/internal/clock"
	"bookings/internal/pgpool"
	"bookings/internal/pgtest"
)

// A wrong clock is no reason to take a server away from callers: it goes by
// PostgreSQL's.
func TestReadinessTellsOfAWrongClockAndStaysReady(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	for wrong, want := range map[time.Duration]string{0: "ok", time.Minute: "1m0s ahead of PostgreSQL's", -time.Minute: "1m0s behind PostgreSQL's"} {
		c := clock.New(pool, func() time.Time { return time.Now().Add(wrong) }, slog.New(slog.DiscardHandler))
		if err := c.Measure(t.Context()); err != nil {
			t.Fatal(err)
		}
		answer := httptest.NewRecorder()
		(&health{pool: pgpool.Of(pool), clock: c}).ready(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/health/ready", http.NoBody))
		var found readiness
		if err := json.Unmarshal(answer.Body.Bytes(), &found); err != nil || answer.Code != http.StatusOK || found.Status != "ok" || found.Clock != want {
			t.Errorf("wrong by %v: %d, %+v, %v", wrong, answer.Code, found, err)
		}
	}
}

func TestAServerMeasuresPostgreSQLsClock(t *testing.T) {
	t.Parallel()
	i := start(t)
	pgtest.Eventually(t, "a measured clock", func() bool {
		_, body := i.exchange(i.get("/health/ready", http.Header{}))
		var found readiness
		return json.Unmarshal(body, &found) == nil && found.Clock == "ok"
	})
}
