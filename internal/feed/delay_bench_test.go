package feed_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/time/rate"

	"bookings/internal/feed"
	"bookings/internal/feedtest"
	"bookings/internal/pgtest"
	"bookings/internal/redistest"
)

// From an event's commit until a reader of the feed of everything has it on
// another instance, at 1,000 events a second: -benchtime=10000x is ten seconds.
func BenchmarkDelayOfTheFeedOfEverything(b *testing.B) {
	for name, meanwhile := range map[string]func(testing.TB, *pgxpool.Pool){
		"nothing else":                func(testing.TB, *pgxpool.Pool) {},
		"a writer who does not end":   holdWrite,
		"a reader who does not end":   holdSnapshot,
		"that, and 100,000 dead rows": holdDead,
	} {
		b.Run(name, func(b *testing.B) {
			pool, server := pgtest.New(b), redistest.Start(b)
			writing, hearing := startHub(b, pool, server, never), startHub(b, pool, server, never)
			writers := crossing(b, pool)
			meanwhile(b, pool)
			s, err := hearing.Subscribe(b.Context(), feed.All, nil, 0)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			committed := make(chan map[string]time.Time, 1)
			go func() { committed <- writeSteadily(b, writing, writers) }()
			received := map[string]time.Time{}
			var times map[string]time.Time
			for times == nil || len(received) < len(times) {
				entry, err := s.Next(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				received[entry.ID] = time.Now()
				select {
				case times = <-committed:
				default:
				}
			}
			reportDelays(b, times, received)
		})
	}
}

// writeSteadily returns when each event was committed. It ends with one that
// its reader waits for.
func writeSteadily(b *testing.B, h hub, writers []*feedtest.Writer) map[string]time.Time {
	b.Helper()
	limit := rate.NewLimiter(1000, 1)
	var mu sync.Mutex
	committed := map[string]time.Time{}
	write := func(i int) {
		entries := writers[i%len(writers)].Write()
		mu.Lock()
		committed[entries[0].ID] = time.Now()
		mu.Unlock()
		h.Publish(entries)
	}
	turns := make(chan int)
	var all sync.WaitGroup
	for range 2 * len(writers) {
		all.Go(func() {
			for i := range turns {
				write(i)
			}
		})
	}
	for i := 0; b.Loop(); i++ {
		_ = limit.Wait(b.Context())
		turns <- i
	}
	close(turns)
	all.Wait()
	return committed
}

func reportDelays(b *testing.B, committed, received map[string]time.Time) {
	b.Helper()
	delays := make([]time.Duration, 0, len(committed))
	for id, at := range committed {
		delays = append(delays, received[id].Sub(at))
	}
	slices.Sort(delays)
	for _, percent := range []int{50, 99} {
		delay := delays[(len(delays)-1)*percent/100]
		b.ReportMetric(float64(delay.Microseconds())/1000, fmt.Sprintf("p%d-ms", percent))
	}
}

// What a step costs while the rows of earlier ones cannot be removed, since
// somebody still could see them.
func BenchmarkStepAmongDeadRows(b *testing.B) {
	for _, dead := range []int{0, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("%d dead rows", dead), func(b *testing.B) {
			pool := pgtest.New(b)
			w := feedtest.NewWriter(b, pool, "a provider", "a customer")
			h := feed.NewHub(pool, nil, slog.New(slog.DiscardHandler))
			holdSnapshot(b, pool)
			leaveDead(b, pool, dead)
			for b.Loop() {
				b.StopTimer()
				w.Write()
				b.StartTimer()
				if moved, err := h.Step(b.Context()); moved != 1 || err != nil {
					b.Fatal(moved, err)
				}
			}
		})
	}
}

// holdSnapshot begins a transaction that reads one state, and leaves it open.
func holdSnapshot(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	hold(t, pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, "SELECT count(*) FROM event_outbox")
}

// holdWrite begins one that has written, so that nobody sees its event.
func holdWrite(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	hold(t, pool, pgx.TxOptions{}, "INSERT INTO event_outbox VALUES (nextval('booking_events_ordinal_seq'), gen_random_uuid())")
}

func hold(t testing.TB, pool *pgxpool.Pool, options pgx.TxOptions, sql string) {
	t.Helper()
	tx, err := pool.BeginTx(t.Context(), options)
	if err == nil {
		_, err = tx.Exec(t.Context(), sql)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
}

func holdDead(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	holdSnapshot(t, pool)
	leaveDead(t, pool, 100_000)
}

func leaveDead(t testing.TB, pool *pgxpool.Pool, n int) {
	t.Helper()
	const write = `INSERT INTO event_outbox SELECT nextval('booking_events_ordinal_seq'), gen_random_uuid() FROM generate_series(1, $1::int)`
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), write, n); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), "DELETE FROM event_outbox")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
