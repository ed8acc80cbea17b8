package metrics

import (
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"bookings/internal/feed"
)

// Pool are connections, by what they are for.
type Pool interface{ Stat() *pgxpool.Stat }

// WatchPool adds a pool of connections.
func (m *Metrics) WatchPool(name string, pool Pool) {
	about := prometheus.Labels{"pool": name}
	m.gauge("pool_acquired_connections", "Connections in use.", about, func() float64 { return float64(pool.Stat().AcquiredConns()) })
	m.gauge("pool_idle_connections", "Connections that nobody uses.", about, func() float64 { return float64(pool.Stat().IdleConns()) })
	m.gauge("pool_max_connections", "How many there may be.", about, func() float64 { return float64(pool.Stat().MaxConns()) })
	m.counter("pool_waits_total", "How often a connection had to be waited for.", about,
		func() float64 { return float64(pool.Stat().EmptyAcquireCount()) })
	m.counter("pool_wait_seconds_total", "How long connections were waited for.", about,
		func() float64 { return pool.Stat().EmptyAcquireWaitTime().Seconds() })
}

// WatchClock adds by how much this machine's clock is ahead of PostgreSQL's.
func (m *Metrics) WatchClock(ahead func() time.Duration) {
	m.gauge("clock_ahead_seconds", "How far this machine's clock is ahead of PostgreSQL's.", nil, func() float64 { return ahead().Seconds() })
}

// WatchFeeds adds what becomes of events.
func (m *Metrics) WatchFeeds(feeds *feed.Hub) {
	m.counter("feed_delivered_total", "Entries given to readers here.", nil, func() float64 { return float64(feeds.Delivered()) })
	m.counter("feed_pages_read_total", "Pages that readers read from PostgreSQL: to replay, or as a broadcast was lost.", nil,
		func() float64 { return float64(feeds.PagesRead()) })
	m.counter("feed_dropped_total", "Broadcasts that were not handed to Redis.", nil, func() float64 { return float64(feeds.Dropped()) })
	m.gauge("feed_readers", "Sockets and streams that read a feed.", nil, func() float64 { return float64(feeds.Readers()) })
}

// WatchDoors adds what is open: the sockets and the streams.
func (m *Metrics) WatchDoors(sockets func() int, streams func() int64) {
	m.gauge("sockets_open", "WebSockets that are open.", nil, func() float64 { return float64(sockets()) })
	m.gauge("streams_open", "Calls of StreamEvents that are open.", nil, func() float64 { return float64(streams()) })
}

// WatchLimits adds the limit's answers. alone is nil where there is no Redis.
func (m *Metrics) WatchLimits(allowed, refused, alone func() int64) {
	const name, help = "limit_calls_total", "Calls counted against the limit, by its answer."
	m.counter(name, help, prometheus.Labels{"answer": "allowed"}, func() float64 { return float64(allowed()) })
	m.counter(name, help, prometheus.Labels{"answer": "refused"}, func() float64 { return float64(refused()) })
	if alone != nil {
		m.counter("limit_alone_total", "Calls that this instance counted alone, as Redis did not.", nil, func() float64 { return float64(alone()) })
	}
}

func (m *Metrics) gauge(name, help string, about prometheus.Labels, value func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help, ConstLabels: about}, value))
}

func (m *Metrics) counter(name, help string, about prometheus.Labels, value func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help, ConstLabels: about}, value))
}
