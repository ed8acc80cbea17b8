package feed_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"bookings/gen/sqlc"
	"bookings/internal/feed"
	"bookings/internal/feedtest"
	"bookings/internal/pgtest"
	"bookings/internal/redistest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const (
	// never is an interval that no test lives to see the end of.
	never = time.Hour
	often = 100 * time.Millisecond
	// enough is how long a test waits for what has to happen.
	enough = time.Minute
)

// hub is one instance's hub, running until the end of the test.
type hub struct {
	*feed.Hub
	log *log
	// stop ends it and waits for that.
	stop func()
}

// startHub runs a hub that checks heads once an interval, over Redis where one
// is given.
func startHub(t testing.TB, pool *pgxpool.Pool, server *redistest.Server, interval time.Duration) hub {
	t.Helper()
	if server == nil {
		return startHubOver(t, pool, nil, interval)
	}
	return startHubOver(t, pool, server.Client(), interval)
}

// startHubOver is startHub for a database and a client of Redis that do not
// always do as they should.
func startHubOver(t testing.TB, db sqlc.DBTX, client redis.UniversalClient, interval time.Duration) hub {
	t.Helper()
	log := &log{}
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var broadcast *feed.Redis
	if client != nil {
		broadcast = feed.NewRedis(client, logger)
	}
	h := hub{Hub: feed.NewHub(db, broadcast, logger), log: log}
	h.SetCheckInterval(interval)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { h.Run(ctx) })
	h.stop = func() { cancel(); running.Wait() }
	t.Cleanup(h.stop)
	return h
}

func newWriter(t *testing.T) (*feedtest.Writer, *pgxpool.Pool) {
	t.Helper()
	pool := pgtest.New(t)
	return feedtest.NewWriter(t, pool, "a provider", "a customer"), pool
}

// number is the point of a reader that has a number alone.
func number(n int64) *feed.Point { return &feed.Point{Sequence: n} }

func subscribe(t *testing.T, h hub, key feed.Key, after *feed.Point) *feed.Subscription {
	t.Helper()
	s, err := h.Subscribe(t.Context(), key, after, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// reader follows a feed and records what it is given.
type reader struct {
	t  *testing.T
	mu sync.Mutex
	// ids are of entry 1 and so on, from the number that it began after.
	ids []string
	err error
}

// follow begins to read a feed after a number; nil: live.
func follow(t *testing.T, h hub, key feed.Key, after *feed.Point) *reader {
	t.Helper()
	s, err := h.Subscribe(t.Context(), key, after, 0)
	if err != nil {
		t.Fatal(err)
	}
	return record(t, s)
}

// record reads a subscription until it fails or the test ends.
func record(t *testing.T, s *feed.Subscription) *reader {
	t.Helper()
	r := &reader{t: t}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		defer s.Close()
		for r.next(ctx, s) {
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	return r
}

func (r *reader) next(ctx context.Context, s *feed.Subscription) bool {
	cursor := s.Cursor()
	entry, err := s.Next(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err = err; err != nil {
		return false
	}
	if entry.Sequence != cursor.Sequence+1 || entry.PreviousID != cursor.ID || s.Cursor().ID != entry.ID || entry.Key != s.Key() {
		r.t.Errorf("entry %d of %v after %v, the cursor at %v", entry.Sequence, entry.Key, cursor, s.Cursor())
	}
	r.ids = append(r.ids, entry.ID)
	return true
}

func (r *reader) state() (ids []string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.ids), r.err
}

// wants waits until the reader has as many entries as it should, and compares.
func (r *reader) wants(ids []string) {
	r.t.Helper()
	eventually(r.t, func() bool {
		got, err := r.state()
		return len(got) >= len(ids) || err != nil
	})
	got, err := r.state()
	if err != nil || !slices.Equal(got, ids) {
		r.t.Errorf("a reader got %d entries (%v), not the %d of its feed in their order", len(got), err, len(ids))
	}
}

// eventually polls until something holds.
func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	deadline := time.After(enough)
	for tick := time.NewTicker(5 * time.Millisecond); !holds(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Error("it did not come to be")
			return
		}
	}
}

// inParallel runs f(0) to f(n-1) side by side and waits.
func inParallel(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

// log keeps what was logged.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

// count is how many lines contain a text.
func (l *log) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}
