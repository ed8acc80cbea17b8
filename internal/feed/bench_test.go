package feed

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
)

// benchHub has so many readers of the first feed of twoEntries, which have read
// its entry, and of no other. It reaches for no store.
func benchHub(b *testing.B, readers int) (hub *Hub, subscriptions []*Subscription) {
	b.Helper()
	hub = NewHub(nil, nil, slog.New(slog.DiscardHandler))
	read := twoEntries()[0]
	for range readers {
		s, err := hub.join(read.Key, 0)
		if err != nil {
			b.Fatal(err)
		}
		s.cursor = read.point()
		subscriptions = append(subscriptions, s)
	}
	hub.Publish(twoEntries())
	return hub, subscriptions
}

// next makes of an entry the one after it, so that its feed stays one run and no
// reader has to ask PostgreSQL.
func next(e Entry) Entry {
	e.Sequence, e.PreviousID = e.Sequence+1, e.ID
	e.ID = point(e.Sequence).ID
	return e
}

// What each event costs an instance that none of its readers is on.
func BenchmarkBroadcastWithoutReaders(b *testing.B) {
	hub, _ := benchHub(b, 0)
	message := broadcastOf(b, twoEntries())
	b.ReportAllocs()
	for b.Loop() {
		hub.receive(message)
	}
}

func BenchmarkBroadcastWithAReader(b *testing.B) {
	hub, _ := benchHub(b, 1)
	entries := twoEntries()
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		entries[0] = next(entries[0])
		message := broadcastOf(b, entries)
		b.StartTimer()
		hub.receive(message)
	}
}

func BenchmarkEncodeABroadcast(b *testing.B) {
	entries := twoEntries()
	b.ReportAllocs()
	for b.Loop() {
		broadcastOf(b, entries)
	}
}

func BenchmarkRing(b *testing.B) {
	f := newLocalFeed(Key{}, 0)
	b.ReportAllocs()
	for sequence := int64(1); b.Loop(); sequence++ {
		f.add(entry(sequence))
		f.after(point(sequence - 1))
	}
}

// From an event's publication until the last reader has it.
func BenchmarkHub(b *testing.B) {
	for _, readers := range []int{1, 1000} {
		b.Run(fmt.Sprintf("%d readers", readers), func(b *testing.B) {
			hub, subscriptions := benchHub(b, readers)
			ctx, cancel := context.WithCancel(b.Context())
			var running, delivered sync.WaitGroup
			for _, s := range subscriptions {
				running.Go(func() {
					for {
						if _, err := s.Next(ctx); err != nil {
							return
						}
						delivered.Done()
					}
				})
			}
			entries := twoEntries()
			b.ReportAllocs()
			for b.Loop() {
				entries[0] = next(entries[0])
				delivered.Add(readers)
				hub.Publish(entries)
				delivered.Wait()
			}
			cancel()
			running.Wait()
		})
	}
}
