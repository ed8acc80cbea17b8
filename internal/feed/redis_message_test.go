package feed_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"bookings/internal/feed"
	"bookings/internal/pgtest"
	"bookings/internal/redistest"
)

func TestAnEventIsOneMessage(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	server := redistest.Start(t)
	h := startHub(t, pool, server, never)
	channel, err := feed.ReadChannel(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	subscription := server.Client().PSubscribe(t.Context(), "*")
	defer func() { _ = subscription.Close() }()
	if _, err := subscription.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	previous := ""
	for n := range 3 {
		entries := w.Write()
		h.Publish(entries)
		message, err := receiveEvent(t.Context(), subscription)
		if err != nil {
			t.Fatal(err)
		}
		header, _, _ := strings.Cut(message.Payload, "\n\n")
		lines := strings.Split(header, "\n")
		slices.Sort(lines)
		want := []string{fmt.Sprintf("%s %d%s", w.Customer.Source(), n+1, previous), fmt.Sprintf("%s %d%s", w.Provider.Source(), n+1, previous)}
		previous = " " + entries[0].ID
		if message.Channel != channel || !slices.Equal(lines, want) {
			t.Errorf("on %s came %s", message.Channel, message.Payload)
		}
	}
}

// An instance hears of every event; it reads those that its readers wait for.
func TestABroadcastOfAFeedWithoutReadersIsNotParsed(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	server := redistest.Start(t)
	h := startHub(t, pool, server, never)
	channel, err := feed.ReadChannel(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	awaitSubscribers(t, server, pool, 1)
	r := follow(t, h, w.Provider, nil)
	h.Publish(w.Write())
	r.wants(w.IDs(w.Provider))
	client := server.Client()
	send := func(key feed.Key, sequence int) {
		t.Helper()
		if err := client.Publish(t.Context(), channel, fmt.Sprintf("%s %d\n\nnot JSON", key.Source(), sequence)).Err(); err != nil {
			t.Fatal(err)
		}
	}
	send(w.Customer, 2) // nobody reads it
	send(w.Provider, 1) // it is known
	send(w.Provider, 2)
	pgtest.Eventually(t, "the last one is read", func() bool { return h.log.count("cannot be read") > 0 })
	h.Publish(w.Write())
	r.wants(w.IDs(w.Provider))
	if read := h.log.count("cannot be read"); read != 1 {
		t.Errorf("%d of them were parsed", read)
	}
}
