package feed_test

import (
	"context"
	"fmt"
	"testing"
	"time"

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
	healed := other.Healed()
	for range 50 {
		one.Publish(w.Write())
	}
	r.wants(w.IDs(w.Provider))
	if now := other.Healed(); now != healed {
		t.Errorf("PostgreSQL was asked %d times for what Redis had brought", now-healed)
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

// A SUBSCRIBE that meets a connection just killed is lost, also to go-redis.
func TestALostSubscribeIsSentAgain(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	server := redistest.Start(t)
	client := server.Client()
	h := startHub(t, pool, server, never)
	for i := range 40 {
		key := feed.Key{Role: w.Provider.Role, User: fmt.Sprint(i)}
		killPubSub(t, server)
		subscribe(t, h, key, nil)
		name := "bookings:" + key.Source()
		pgtest.Eventually(t, "the channel is subscribed to", func() bool {
			readers, err := client.PubSubNumSub(t.Context(), name).Result()
			return err == nil && readers[name] == 1
		})
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
	entries := w.Write()
	for range n {
		h.Publish(entries)
	}
	h.stop()
	ctx, cancel := context.WithTimeout(t.Context(), enough)
	defer cancel()
	for i := range n * len(entries) {
		if _, err := subscription.ReceiveMessage(ctx); err != nil {
			t.Fatalf("broadcast %d: %v", i, err)
		}
	}
}

// A user who reconnects leaves and joins the same channel within milliseconds.
func TestQuickReconnectsStaySubscribed(t *testing.T) {
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
