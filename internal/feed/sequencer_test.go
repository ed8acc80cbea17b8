package feed_test

import (
	"context"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/internal/booking"
	"bookings/internal/feed"
	"bookings/internal/feedtest"
	"bookings/internal/pgtest"
	"bookings/internal/redistest"
)

// crossing are writers whose feeds cross: each user is the provider of the next.
func crossing(t testing.TB, pool *pgxpool.Pool) []*feedtest.Writer {
	t.Helper()
	users := []string{"anna", "ben", "carl", "dora"}
	writers := make([]*feedtest.Writer, len(users))
	for i, user := range users {
		writers[i] = feedtest.NewWriter(t, pool, user, users[(i+1)%len(users)])
	}
	return writers
}

// checkAgreement holds the feed of everything against all events and against
// every user's feed.
func checkAgreement(t *testing.T, w *feedtest.Writer, pool *pgxpool.Pool, writers []*feedtest.Writer) {
	t.Helper()
	all := w.IDs(feed.All)
	place := map[string]int{}
	for i, id := range all {
		place[id] = i
	}
	var events int
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM booking_events").Scan(&events); err != nil {
		t.Fatal(err)
	}
	if len(all) != events || len(place) != events {
		t.Errorf("the feed of everything has %d entries of %d events, there are %d", len(all), len(place), events)
	}
	for _, writer := range writers {
		for _, key := range []feed.Key{writer.Provider, writer.Customer} {
			ids := writer.IDs(key)
			if !slices.IsSortedFunc(ids, func(a, b string) int { return place[a] - place[b] }) {
				t.Errorf("the feed of everything contradicts %s", key.Source())
			}
		}
	}
}

func countOf(t *testing.T, pool *pgxpool.Pool, from string) (count int) {
	t.Helper()
	if err := pool.QueryRow(context.WithoutCancel(t.Context()), "SELECT count(*) FROM "+from).Scan(&count); err != nil {
		t.Error(err)
	}
	return count
}

func TestTheFeedOfEverythingHasEachEventOnceInAnOrderThatAgrees(t *testing.T) {
	t.Parallel()
	const each = 100
	pool := pgtest.New(t)
	writers := crossing(t, pool)
	server := redistest.Start(t)
	hubs := []hub{startHub(t, pool, server, never), startHub(t, pool, server, never), startHub(t, pool, server, never)}
	readers := make([]*reader, len(hubs))
	for i, h := range hubs {
		readers[i] = follow(t, h, feed.All, number(0))
	}
	inParallel(2*len(writers), func(i int) {
		for range each {
			hubs[i%2].Publish(writers[i%len(writers)].Write()) // the third only hears
		}
	})
	eventually(t, func() bool { return countOf(t, pool, "event_outbox") == 0 })
	checkAgreement(t, writers[0], pool, writers)
	for _, r := range readers {
		r.wants(writers[0].IDs(feed.All))
	}
}

func TestAnOpenTransactionDelaysNobodyElsesEvents(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	slow, quick := feedtest.NewWriter(t, pool, "anna", "ben"), feedtest.NewWriter(t, pool, "carl", "dora")
	h := startHub(t, pool, nil, never)
	r := follow(t, h, feed.All, number(0))
	open, finish := make(chan struct{}), make(chan struct{})
	var late []feed.Entry
	done := make(chan error)
	go func() {
		done <- pgx.BeginFunc(context.WithoutCancel(t.Context()), pool, func(tx pgx.Tx) (err error) {
			late, err = slow.In(t.Context(), tx, booking.EventConfirmed)
			close(open)
			<-finish
			return err
		})
	}()
	<-open
	for range 10 {
		h.Publish(quick.Write())
	}
	r.wants(quick.IDs(quick.Provider))
	close(finish)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	h.Publish(late)
	r.wants(append(quick.IDs(quick.Provider), late[0].ID))
}

// Who commits and dies tells nobody.
func TestAnEventThatNobodyToldOfIsMovedByAnotherInstance(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	r := follow(t, h, feed.All, number(0))
	w.Write()
	r.wants(w.IDs(w.Provider))
}

// A step is done or undone, whatever becomes of who made it.
func TestAStepThatIsCutOffLeavesNoHoleAndNoDouble(t *testing.T) {
	t.Parallel()
	const cuts = 5
	pool := pgtest.New(t)
	writers := crossing(t, pool)
	hubs := []hub{startHub(t, pool, nil, never), startHub(t, pool, nil, never)}
	for range cuts {
		lock, err := pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := lock.Exec(t.Context(), "SELECT 1 FROM feeds WHERE role = 'all' FOR UPDATE"); err != nil {
			t.Fatal(err)
		}
		inParallel(len(writers), func(i int) { hubs[i%2].Publish(writers[i].Write()) })
		const steps = "pg_stat_activity WHERE query LIKE '-- name: FeedSequence%' AND wait_event_type = 'Lock' AND datname = current_database()"
		eventually(t, func() bool { return countOf(t, pool, steps) == len(hubs) })
		if n := countOf(t, pool, "(SELECT pg_terminate_backend(pid) FROM "+steps+" LIMIT 1) AS cut"); n != 1 {
			t.Errorf("%d steps were cut off", n)
		}
		if err := lock.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, func() bool { return countOf(t, pool, "event_outbox") == 0 })
	checkAgreement(t, writers[0], pool, writers)
	follow(t, hubs[1], feed.All, number(0)).wants(writers[0].IDs(feed.All))
}

// After a switch-over by logical replication the sequence may be far behind.
func TestASequenceThatIsBehindDoesNotTurnTheOrderRound(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	writers := crossing(t, pool)
	for range 3 {
		for _, w := range writers {
			w.Write()
		}
	}
	if _, err := pool.Exec(t.Context(), "SELECT setval('booking_events_ordinal_seq', 1)"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for _, w := range slices.Backward(writers) {
			w.Write()
		}
	}
	h := startHub(t, pool, nil, never)
	r := follow(t, h, feed.All, number(0))
	eventually(t, func() bool { return countOf(t, pool, "event_outbox") == 0 })
	checkAgreement(t, writers[0], pool, writers)
	r.wants(writers[0].IDs(feed.All))
}

func TestOldEntriesOfTheFeedOfEverythingArePruned(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	r := follow(t, h, feed.All, number(0))
	for range 3 {
		h.Publish(w.Write())
	}
	r.wants(w.IDs(w.Provider))
	prune(t, pool)
	s := subscribe(t, h, feed.All, number(1))
	if headOf(s.Refusal) != "3" || s.Head.Sequence != 3 {
		t.Errorf("a reader that is behind is told %v", s.Refusal)
	}
	h.Publish(w.Write())
	live := record(t, s)
	live.wants(w.IDs(w.Provider))
}

func TestAListOfFewTypesGetsOn(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	w.Fill(12_000) // more than one answer looks at
	rare := w.WriteOf(booking.EventCancelled)
	w.Fill(3)
	var got []string
	after := number(0)
	for pages := 0; ; pages++ {
		page, err := h.List(t.Context(), w.Provider, after, []booking.EventType{booking.EventCancelled, booking.EventNoShow}, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range page.Entries {
			got = append(got, entry.ID)
		}
		if page.Through == page.Head {
			break
		}
		if page.Through.Sequence <= after.Sequence || pages > 10 {
			t.Fatalf("after %v a page goes through %v", after, page.Through)
		}
		after = &page.Through
	}
	if !slices.Equal(got, []string{rare[0].ID}) {
		t.Errorf("it found %v", got)
	}
}
