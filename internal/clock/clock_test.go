package clock_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/internal/clock"
	"bookings/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// machine is a machine's clock that is wrong by so much.
type machine struct{ wrong atomic.Int64 }

func (m *machine) now() time.Time       { return time.Now().Add(time.Duration(m.wrong.Load())) }
func (m *machine) step(d time.Duration) { m.wrong.Store(int64(d)) }

// near is far more than a trip takes, and far less than these clocks differ by.
const near = 800 * time.Millisecond

// check compares a clock with PostgreSQL's, and its difference from the machine's.
func check(t *testing.T, pool *pgxpool.Pool, c *clock.Clock, ahead time.Duration) {
	t.Helper()
	var postgres time.Time
	if err := pool.QueryRow(t.Context(), "SELECT clock_timestamp()").Scan(&postgres); err != nil {
		t.Fatal(err)
	}
	if off := c.Now().Sub(postgres); off.Abs() > near {
		t.Errorf("wrong by %v where the machine is by %v", off, ahead)
	}
	if off := c.Ahead() - ahead; off.Abs() > near {
		t.Errorf("the machine is said to be ahead by %v, not %v", c.Ahead(), ahead)
	}
}

// A step is seen at the next measurement.
func TestItIsPostgreSQLsTimeWhateverTheMachinesClockSays(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	var m machine
	c := clock.New(pool, m.now, slog.New(slog.DiscardHandler))
	for _, wrong := range []time.Duration{30 * time.Second, -30 * time.Second, 0, 1000 * time.Hour, -time.Hour} {
		m.step(wrong)
		if err := c.Measure(t.Context()); err != nil {
			t.Fatal(err)
		}
		check(t, pool, c, wrong)
	}
}

func TestADifferenceOfMoreThanASecondIsSaid(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	var m machine
	c := clock.New(pool, m.now, slog.New(slog.DiscardHandler))
	if got := c.State(); got != "unknown" {
		t.Errorf("before it was measured: %s", got)
	}
	for wrong, want := range map[time.Duration]string{
		0: "ok", 30 * time.Second: "ahead of PostgreSQL's", -30 * time.Second: "behind PostgreSQL's",
		200 * time.Millisecond: "ok", -200 * time.Millisecond: "ok",
	} {
		m.step(wrong)
		if err := c.Measure(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := c.State(); !strings.HasSuffix(got, want) || strings.HasPrefix(got, "-") {
			t.Errorf("wrong by %v: %s", wrong, got)
		}
	}
}

func TestADifferenceIsLoggedOnceAndSoIsItsEnd(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	var m machine
	m.step(time.Minute)
	var written lines
	c := clock.New(pool, m.now, slog.New(slog.NewTextHandler(&written, nil)))
	for range 3 {
		c.Round(t.Context())
	}
	m.step(0)
	for range 3 {
		c.Round(t.Context())
	}
	if got := written.String(); strings.Count(got, "level=WARN") != 1 || strings.Count(got, "level=INFO") != 1 ||
		!strings.Contains(got, "ahead of PostgreSQL's") {
		t.Errorf("logged %s", got)
	}
}

func TestWhatWasMeasuredStandsWhilePostgreSQLIsAway(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	var m machine
	c := clock.New(pool, m.now, slog.New(slog.DiscardHandler))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Measure(ended); err == nil {
		t.Error("measured nothing, and no error")
	}
	if off := time.Since(c.Now()); off.Abs() > near {
		t.Errorf("unmeasured it is wrong by %v", off)
	}
	m.step(30 * time.Second)
	if err := c.Measure(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Measure(ended); err == nil {
		t.Error("measured nothing, and no error")
	}
	check(t, pool, c, 30*time.Second)
}

func TestItRunsUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	var m machine
	m.step(-time.Minute)
	c := clock.New(pool, m.now, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { c.Run(ctx) })
	pgtest.Eventually(t, "a measurement", func() bool { return c.State() == "1m0s behind PostgreSQL's" })
	cancel()
	running.Wait()
}

type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
