package metrics

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"bookings/internal/feed"
	"bookings/internal/jobs"
	"bookings/internal/pgpool"
)

const (
	// readDeadline is how long a scrape waits for PostgreSQL, also one that hangs.
	readDeadline = 2 * time.Second
	// readInterval is how often PostgreSQL is asked at most, however many scrape.
	readInterval = 5 * time.Second
	// warnInterval is how often it is logged that it could not be read.
	warnInterval = time.Minute
)

// stored are the figures that PostgreSQL keeps, of the whole installation: what waits
// in the queues and for the feed of everything. One connection reads them.
type stored struct {
	pool  *pgpool.Pool
	feeds *feed.Hub
	log   *slog.Logger
	// warnings bounds how often it is logged that PostgreSQL cannot be read.
	warnings rate.Sometimes

	jobs, overdue, events, age, ok *prometheus.Desc

	mu   sync.Mutex
	at   time.Time
	last *figures
}

// figures are what was read; nil where it could not be.
type figures struct {
	backlogs []jobs.Backlog
	lag      feed.Lag
}

// WatchStored adds what PostgreSQL keeps. Where it does not answer in time a scrape
// goes without these, and bookings_database_read is 0.
func (m *Metrics) WatchStored(pool *pgpool.Pool, feeds *feed.Hub, log *slog.Logger) {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
	}
	m.registry.MustRegister(&stored{
		pool: pool, feeds: feeds, log: log, warnings: rate.Sometimes{Interval: warnInterval},
		jobs:    desc("jobs", "Jobs, by queue and state, up to 100,000 each.", "queue", "state"),
		overdue: desc("jobs_overdue_seconds", "For how long the oldest job has been due that nobody works.", "queue"),
		events:  desc("outbox_events", "Events that wait for the feed of everything, up to 10,000."),
		age:     desc("outbox_age_seconds", "For how long the oldest of them has waited."),
		ok:      desc("database_read", "1 where this scrape could read these figures from PostgreSQL."),
	})
}

// Describe implements prometheus.Collector.
func (s *stored) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{s.jobs, s.overdue, s.events, s.age, s.ok} {
		to <- desc
	}
}

// Collect implements prometheus.Collector.
func (s *stored) Collect(to chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	found := s.read()
	if found == nil {
		gauge(s.ok, 0)
		return
	}
	gauge(s.ok, 1)
	gauge(s.events, float64(found.lag.Events))
	gauge(s.age, found.lag.Age.Seconds())
	for _, b := range found.backlogs {
		gauge(s.jobs, float64(b.Jobs), b.Queue, b.State)
	}
	for queue, overdue := range found.overdue() {
		gauge(s.overdue, overdue.Seconds(), queue)
	}
}

// overdue is for how long the oldest job of each queue has been due. One that runs
// is being worked.
func (f *figures) overdue() map[string]time.Duration {
	oldest := map[string]time.Duration{}
	for _, b := range f.backlogs {
		if b.State != "running" {
			oldest[b.Queue] = max(oldest[b.Queue], b.Overdue)
		}
	}
	return oldest
}

// read asks PostgreSQL, or says what it has just answered. Who comes while it is
// being asked waits for that answer.
func (s *stored) read() *figures {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.at) >= readInterval {
		s.last = s.ask()
		s.at = time.Now()
	}
	return s.last
}

func (s *stored) ask() *figures {
	ctx, cancel := context.WithTimeout(context.Background(), readDeadline)
	defer cancel()
	backlogs, err := jobs.ReadBacklog(ctx, s.pool)
	if err != nil {
		return s.unread(err)
	}
	lag, err := s.feeds.Lag(ctx)
	if err != nil {
		return s.unread(err)
	}
	return &figures{backlogs: backlogs, lag: lag}
}

func (s *stored) unread(err error) *figures {
	s.warnings.Do(func() { s.log.Warn("a scrape goes without what PostgreSQL keeps", "error", err) })
	return nil
}
