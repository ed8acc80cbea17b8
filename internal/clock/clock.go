// Package clock tells PostgreSQL's time without asking it each time. Jobs run
// by PostgreSQL's clock, and every instance has one of its own: where two of
// them decide what has begun, what lies ahead and what is due, they contradict
// each other by as much as they differ. So all of that is decided by one.
package clock

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/gen/sqlc"
	"bookings/internal/pause"
)

const (
	// interval is how long a step of PostgreSQL's clock goes unnoticed.
	interval = 10 * time.Second
	// retry is how soon a measurement that has failed is made again.
	retry = time.Second
	// tries is how many trips a measurement makes, of which the fastest counts:
	// it is wrong by half of that trip at most.
	tries = 3
	// slowest is the longest trip that says anything, deadline bounds all.
	slowest  = time.Second
	deadline = 5 * time.Second
	// tolerance is the difference from which on somebody should set a clock.
	tolerance = time.Second
)

var errSlow = errors.New("PostgreSQL takes too long to tell its time")

// Clock shows PostgreSQL's time. Until it is measured for the first time, it
// shows the machine's.
type Clock struct {
	pool *pgxpool.Pool
	own  func() time.Time
	log  *slog.Logger
	last atomic.Pointer[sample]
	// warned is Run's: that the difference has been said.
	warned bool
}

// sample is one moment by two clocks.
type sample struct{ own, postgres time.Time }

// New makes a clock that measures PostgreSQL's against the machine's own, which
// is time.Now. It does not connect.
func New(pool *pgxpool.Pool, own func() time.Time, log *slog.Logger) *Clock {
	return &Clock{pool: pool, own: own, log: log}
}

// Now is PostgreSQL's time: as it was when it was measured, and what has passed
// since. Go counts that by the machine's monotonic clock, so that a step of the
// machine's wall clock does not show.
func (c *Clock) Now() time.Time {
	own := c.own()
	if s := c.last.Load(); s != nil {
		return s.postgres.Add(own.Sub(s.own))
	}
	return own
}

// Ahead is how far the machine's wall clock is ahead of PostgreSQL's; negative
// where it is behind.
func (c *Clock) Ahead() time.Duration {
	now := c.Now()
	return c.own().Round(0).Sub(now.Round(0)) // Round(0) leaves the wall clock alone
}

// State is for people: "ok", or what is wrong.
func (c *Clock) State() string {
	ahead := c.Ahead().Round(100 * time.Millisecond)
	switch {
	case c.last.Load() == nil:
		return "unknown"
	case ahead > tolerance:
		return fmt.Sprintf("%v ahead of PostgreSQL's", ahead)
	case ahead < -tolerance:
		return fmt.Sprintf("%v behind PostgreSQL's", -ahead)
	}
	return "ok"
}

// Run measures until the context ends.
func (c *Clock) Run(ctx context.Context) {
	for ctx.Err() == nil {
		next := interval
		if !c.round(ctx) {
			next = retry
		}
		pause.For(ctx, next)
	}
}

// round measures once, says what has changed, and tells whether it could
// measure: where not, the last measurement stands.
func (c *Clock) round(ctx context.Context) bool {
	err := c.Measure(ctx)
	c.report()
	return err == nil
}

// Measure compares the two clocks. Where it fails, the last measurement stands.
func (c *Clock) Measure(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	// One connection: waiting for one would count as part of the trip.
	//nolint:wrapcheck // its own error says that no connection could be had
	return c.pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
		fastest := slowest
		var best *sample
		for range tries {
			before := c.own()
			postgres, err := new(sqlc.Queries).ClockTime(ctx, conn)
			if err != nil {
				return fmt.Errorf("read PostgreSQL's clock: %w", err)
			}
			if trip := c.own().Sub(before); trip < fastest {
				fastest, best = trip, &sample{own: before.Add(trip / 2), postgres: postgres}
			}
		}
		if best == nil {
			return errSlow
		}
		c.last.Store(best)
		return nil
	})
}

// report says once that the clocks differ, and once that they do no more.
func (c *Clock) report() {
	differs := c.Ahead().Abs() > tolerance
	if differs == c.warned {
		return
	}
	c.warned = differs
	if differs {
		c.log.Warn("this machine's clock is not PostgreSQL's, which counts: set the clocks", "difference", c.State())
	} else {
		c.log.Info("this machine's clock is PostgreSQL's again")
	}
}
