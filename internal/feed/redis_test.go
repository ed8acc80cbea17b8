package feed_test

import (
	"bytes"
	"context"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"bookings/internal/feed"
	"bookings/internal/pgtest"
	"bookings/internal/redistest"
)

// awaitBroadcast writes events on one hub until the other's reader hears of one
// through Redis: from then on the channel is subscribed to.
func awaitBroadcast(t *testing.T, from hub, r *reader, write func() []feed.Entry) {
	t.Helper()
	pgtest.Eventually(t, "a broadcast arrives", func() bool {
		from.Publish(write())
		got, _ := r.state()
		return len(got) > 0
	})
}

// awaitSubscribers waits until so many instances hear the channel of a database.
func awaitSubscribers(t *testing.T, server *redistest.Server, pool *pgxpool.Pool, n int64) {
	t.Helper()
	channel, err := feed.ReadChannel(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	client := server.Client()
	pgtest.Eventually(t, "the channel has its subscribers", func() bool {
		heard, err := client.PubSubNumSub(t.Context(), channel).Result()
		return err == nil && heard[channel] == n
	})
}

func TestTwoInstancesDeliverThroughRedis(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	server := redistest.Start(t)
	one, other := startHub(t, pool, server, never), startHub(t, pool, server, never)
	var readers []*reader
	for _, h := range []hub{one, other} {
		readers = append(readers, follow(t, h, w.Provider, number(0)), follow(t, h, w.Customer, number(0)))
	}
	inParallel(4, func(i int) {
		for range 100 {
			[]hub{one, other}[i%2].Publish(w.Write())
		}
	})
	for i, r := range readers {
		r.wants(w.IDs([]feed.Key{w.Provider, w.Customer}[i%2]))
	}
}

func TestARedisBroadcastNeedsNoPostgres(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	server := redistest.Start(t)
	one, other := startHub(t, pool, server, never), startHub(t, pool, server, never)
	r := follow(t, other, w.Provider, number(0))
	awaitBroadcast(t, one, r, w.Write)
	r.wants(w.IDs(w.Provider))
	pages := other.PagesRead()
	for range 50 {
		one.Publish(w.Write())
	}
	r.wants(w.IDs(w.Provider))
	if now := other.PagesRead(); now != pages {
		t.Errorf("PostgreSQL was asked %d times for what Redis had brought", now-pages)
	}
}

func TestTwoInstancesWithoutRedisDeliverByTheHeadCheck(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	one, other := startHub(t, pool, nil, often), startHub(t, pool, nil, often)
	readers := []*reader{follow(t, one, w.Provider, nil), follow(t, other, w.Provider, nil)}
	for i := range 100 {
		[]hub{one, other}[i%2].Publish(w.Write())
	}
	for _, r := range readers {
		r.wants(w.IDs(w.Provider))
	}
	// No later event of its own shows an instance that it lacks these.
	for range 3 {
		one.Publish(w.Write())
		readers[1].wants(w.IDs(w.Provider))
	}
}

func killPubSub(t *testing.T, server *redistest.Server) {
	t.Helper()
	client := redis.NewClient(server.Options())
	defer func() { _ = client.Close() }()
	if err := client.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err(); err != nil {
		t.Error(err)
	}
}

// Nothing but the second "subscribe" of a connection tells of what was lost: no
// later broadcast leaves a gap, and the regular check never comes.
func TestAKilledPubSubConnectionLosesNothing(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	server := redistest.Start(t)
	one, other := startHub(t, pool, server, never), startHub(t, pool, server, never)
	r := follow(t, other, w.Provider, number(0))
	for range 20 {
		entries := w.Write()
		killPubSub(t, server)
		one.Publish(entries)
		r.wants(w.IDs(w.Provider))
	}
}

func TestKilledPubSubConnectionsUnderLoadLoseNothing(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	server := redistest.Start(t)
	one, other := startHub(t, pool, server, never), startHub(t, pool, server, never)
	readers := []*reader{follow(t, one, w.Provider, number(0)), follow(t, other, w.Provider, number(0))}
	inParallel(3, func(i int) {
		for n := range 150 {
			if i == 2 {
				killPubSub(t, server)
			} else {
				[]hub{one, other}[(i+n)%2].Publish(w.Write())
			}
		}
	})
	for _, r := range readers {
		r.wants(w.IDs(w.Provider))
	}
}

// flaky is a connection that loses the first SUBSCRIBE of its test.
type flaky struct {
	net.Conn
	first *sync.Once
	lose  func(net.Conn) error
}

func (f *flaky) Write(b []byte) (n int, err error) {
	n = len(b)
	lost := false
	if bytes.Contains(b, []byte("subscribe")) {
		f.first.Do(func() { lost, err = true, f.lose(f.Conn) })
	}
	if lost {
		return n, err
	}
	return f.Conn.Write(b)
}

// A SUBSCRIBE that meets a connection just killed is lost, in two ways: with an
// error, after which go-redis does not send it again, and without one.
func TestALostSubscribeIsSentAgain(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(net.Conn) error{
		"refused":   func(conn net.Conn) error { _ = conn.Close(); return syscall.EPIPE },
		"swallowed": net.Conn.Close,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, pool := newWriter(t)
			server := redistest.Start(t)
			options := server.Options()
			first := new(sync.Once)
			options.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, network, addr)
				return &flaky{Conn: conn, first: first, lose: lose}, err
			}
			client := redis.NewClient(options)
			t.Cleanup(func() { _ = client.Close() })
			h := startHubOver(t, pool, client, never)
			awaitSubscribers(t, server, pool, 1)
			// And it is heard on.
			r := follow(t, h, w.Provider, nil)
			awaitBroadcast(t, startHub(t, pool, server, never), r, w.Write)
			first.Do(func() { t.Error("no SUBSCRIBE was lost") })
		})
	}
}

func TestKilledPubSubConnectionsAreSubscribedAgain(t *testing.T) {
	t.Parallel()
	_, pool := newWriter(t)
	server := redistest.Start(t)
	for range 40 {
		h := startHub(t, pool, server, never)
		killPubSub(t, server)
		awaitSubscribers(t, server, pool, 1)
		killPubSub(t, server)
		awaitSubscribers(t, server, pool, 1)
		h.stop()
		awaitSubscribers(t, server, pool, 0)
	}
}

func TestAHungRedisDelaysNobodyAndLosesNothing(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	server := redistest.Start(t)
	one, other := startHub(t, pool, server, never), startHub(t, pool, server, often)
	here, there := follow(t, one, w.Provider, number(0)), follow(t, other, w.Provider, number(0))
	awaitBroadcast(t, one, there, w.Write)
	server.Hang()
	for range 50 {
		one.Publish(w.Write())
	}
	// While Redis hangs: here at once, there by the check; new readers come and go.
	here.wants(w.IDs(w.Provider))
	there.wants(w.IDs(w.Provider))
	follow(t, one, w.Customer, number(0)).wants(w.IDs(w.Customer))
	server.Resume()
	one.Publish(w.Write())
	there.wants(w.IDs(w.Provider))
}

func TestARedisRestartedEmptyIsSubscribedToAgain(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	server := redistest.Start(t)
	one, other := startHub(t, pool, server, never), startHub(t, pool, server, never)
	r := follow(t, other, w.Provider, number(0))
	awaitBroadcast(t, one, r, w.Write)
	server.Kill()
	for range 50 {
		one.Publish(w.Write())
	}
	// A reader that comes while Redis is away is subscribed for later.
	late := follow(t, other, w.Customer, number(0))
	pgtest.Eventually(t, "a broadcast is dropped", func() bool { return one.Dropped() > 0 })
	server.Run()
	r.wants(w.IDs(w.Provider))
	late.wants(w.IDs(w.Customer))
	// From here on the regular check does not help: only a subscription does.
	for range 3 {
		one.Publish(w.Write())
		r.wants(w.IDs(w.Provider))
		late.wants(w.IDs(w.Customer))
	}
}

func TestPublishingNeverWaitsAndCountsWhatItDrops(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	server := redistest.Start(t)
	h := startHub(t, pool, server, never)
	server.Hang()
	defer server.Resume()
	entries := w.Write()
	for range 3 * feed.Outbox {
		h.Publish(entries)
	}
	if dropped := h.Dropped(); dropped < feed.Outbox {
		t.Errorf("%d dropped", dropped)
	}
	if lines := h.log.count("level=WARN"); lines != 1 {
		t.Errorf("%d warnings about one outage", lines)
	}
}

func TestAHubEndsWhileRedisHangs(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for time-outs")
	}
	w, pool := newWriter(t)
	server := redistest.Start(t)
	h := startHub(t, pool, server, never)
	follow(t, h, w.Provider, nil)
	h.Publish(w.Write())
	server.Hang()
	defer server.Resume()
	h.Publish(w.Write())
	ended := make(chan struct{})
	go func() { h.stop(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(enough):
		t.Error("it hangs too")
	}
}

func TestWhatWaitsForRedisIsSentBeforeTheEnd(t *testing.T) {
	t.Parallel()
	const n = 1000
	w, pool := newWriter(t)
	server := redistest.Start(t)
	h := startHub(t, pool, server, never)
	client := server.Client()
	subscription := client.PSubscribe(t.Context(), "*")
	defer func() { _ = subscription.Close() }()
	if _, err := subscription.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	awaitSubscribers(t, server, pool, 1)
	entries := w.Write()
	for range n {
		h.Publish(entries)
	}
	h.stop()
	ctx, cancel := context.WithTimeout(t.Context(), enough)
	defer cancel()
	for i := range n {
		if _, err := receiveEvent(ctx, subscription); err != nil {
			t.Fatalf("broadcast %d: %v", i, err)
		}
	}
}

// A user who reconnects leaves and joins the same feed within milliseconds.
func TestQuickReconnectsMissNothing(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	server := redistest.Start(t)
	one, other := startHub(t, pool, server, never), startHub(t, pool, server, never)
	for range 200 {
		subscribe(t, other, w.Provider, nil).Close()
	}
	r := follow(t, other, w.Provider, number(0))
	for range 20 {
		one.Publish(w.Write())
		r.wants(w.IDs(w.Provider))
	}
}
