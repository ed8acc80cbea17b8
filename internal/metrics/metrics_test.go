package metrics

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"bookings/internal/feed"
	"bookings/internal/pgpool"
	"bookings/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// watched are metrics of all kinds that there are, with a value each.
func watched(pool *pgxpool.Pool) *Metrics {
	m, hub := New(), feed.NewHub(pool, nil, slog.New(slog.DiscardHandler))
	none := func() int64 { return 0 }
	m.WatchPool("calls", pool)
	m.WatchPool("jobs", pool)
	m.WatchStored(pgpool.Of(pool), hub, slog.New(slog.DiscardHandler))
	m.WatchFeeds(hub)
	m.WatchClock(func() time.Duration { return 0 })
	m.WatchDoors(func() int { return 0 }, none)
	m.WatchLimits(none, none, none)
	m.ObserveRequest()("/bookings.v1.BookingService/GetBooking", "ok", time.Second)
	m.ObserveLateness()(time.Second)
	return m
}

func TestNamesKeepPrometheusConventions(t *testing.T) {
	t.Parallel()
	families, err := watched(pgtest.New(t)).registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		if strings.HasPrefix(problem.Metric, namespace) {
			t.Errorf("%s: %s", problem.Metric, problem.Text)
		}
	}
	for _, family := range families {
		if strings.HasPrefix(family.GetName(), namespace) && !strings.HasSuffix(family.GetHelp(), ".") {
			t.Errorf("%s is explained by no sentence: %q", family.GetName(), family.GetHelp())
		}
	}
}

// The labels are those few whose values are ours: none is a user, an id or a path.
func TestLabelsAreFew(t *testing.T) {
	t.Parallel()
	families, err := watched(pgtest.New(t)).registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, family := range families {
		if !strings.HasPrefix(family.GetName(), namespace) {
			continue
		}
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				found[label.GetName()] = true
			}
		}
	}
	if got, want := slices.Sorted(maps.Keys(found)), []string{"answer", "code", "method", "pool", "queue", "state"}; !slices.Equal(got, want) {
		t.Errorf("the labels are %v, not %v", got, want)
	}
}

func TestNobodyObservesWhereThereIsNoPlaceForIt(t *testing.T) {
	t.Parallel()
	var none *Metrics
	if none.ObserveRequest() != nil || none.ObserveLateness() != nil {
		t.Error("without metrics somebody observes")
	}
}

// A reminder that is counted before it was due, as clocks differ, is in time.
func TestNothingIsLateByLessThanNothing(t *testing.T) {
	t.Parallel()
	m := New()
	m.ObserveLateness()(-time.Hour)
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if name := family.GetName(); name == namespace+"_reminder_lateness_seconds" {
			if sum := family.GetMetric()[0].GetHistogram().GetSampleSum(); sum != 0 {
				t.Errorf("the sum is %v", sum)
			}
		}
	}
}

// While PostgreSQL hangs, one scrape asks it; the others wait for that or are refused.
func TestOneScrapeAtATimeAsksPostgres(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	lock, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := lock.Exec(t.Context(), "LOCK TABLE river_job"); err != nil {
		t.Fatal(err)
	}
	handler := watched(pool).Handler()
	const asking = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
	var scrapes sync.WaitGroup
	codes := make(chan int, 20)
	for range cap(codes) {
		scrapes.Go(func() {
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
			codes <- answer.Code
		})
	}
	waiting := 0
	for len(codes) < cap(codes) {
		var now int
		if err := lock.QueryRow(t.Context(), asking).Scan(&now); err != nil {
			t.Fatal(err)
		}
		waiting = max(waiting, now)
	}
	scrapes.Wait()
	if waiting > 1 {
		t.Errorf("%d scrapes ask at a time", waiting)
	}
}
