package feed_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bookings/internal/booking"
	"bookings/internal/feed"
)

func TestAUserHasAtMostSoManyReaders(t *testing.T) {
	t.Parallel()
	const racing = 50
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	// Internal readers take no user's place.
	for range 2 * feed.MaxReaders {
		subscribe(t, h, w.Provider, nil)
	}
	admitted := make(chan *feed.Subscription, racing)
	var refused atomic.Int64
	inParallel(racing, func(int) {
		s, err := h.Subscribe(t.Context(), w.Provider, nil, feed.MaxReaders)
		if err == nil {
			admitted <- s
			return
		}
		if refused.Add(1); !booking.IsReason(err, booking.ReasonRateLimited) {
			t.Errorf("refused with %v", err)
		}
	})
	close(admitted)
	if n := racing - refused.Load(); n != feed.MaxReaders {
		t.Errorf("%d were admitted", n)
	}
	other, err := h.Subscribe(t.Context(), w.Customer, nil, feed.MaxReaders)
	if err != nil {
		t.Fatal(err)
	}
	other.Close()
	for s := range admitted {
		s.Close()
		s.Close() // twice is once
		again, err := h.Subscribe(t.Context(), w.Provider, nil, feed.MaxReaders)
		if err != nil {
			t.Fatal("a place that was given back is not free: ", err)
		}
		t.Cleanup(again.Close)
	}
	if _, err := h.Subscribe(t.Context(), w.Provider, nil, feed.MaxReaders); !booking.IsReason(err, booking.ReasonRateLimited) {
		t.Errorf("one too many got %v", err)
	}
}

func TestAFeedWithoutReadersIsForgotten(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	one, other := subscribe(t, h, w.Provider, nil), subscribe(t, h, w.Provider, nil)
	one.Close()
	if _, known := h.Kept(w.Provider); !known {
		t.Error("it is forgotten while it has a reader")
	}
	other.Close()
	if _, known := h.Kept(w.Provider); known {
		t.Error("it is remembered")
	}
}

func TestEndAllSpreadsTheEnds(t *testing.T) {
	t.Parallel()
	const readers = 50
	const spread = 300 * time.Millisecond
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	var mu sync.Mutex
	var ends []time.Time
	var all sync.WaitGroup
	for range readers {
		s := subscribe(t, h, w.Provider, nil)
		all.Go(func() {
			_, err := s.Next(t.Context())
			if !booking.IsReason(err, booking.ReasonShuttingDown) {
				t.Errorf("it ended with %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			ends = append(ends, time.Now())
		})
	}
	h.EndAll(spread)
	if _, err := h.Subscribe(t.Context(), w.Provider, nil, 0); !booking.IsReason(err, booking.ReasonShuttingDown) {
		t.Errorf("a new subscription got %v", err)
	}
	all.Wait()
	if took := ends[readers-1].Sub(ends[0]); took < spread/10 {
		t.Errorf("they ended within %v", took)
	}
}

func TestASubscriptionDeliversUntilItsTurnToEnd(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	r := follow(t, h, w.Provider, nil)
	h.EndAll(never)
	h.EndAll(0) // the first one counts
	for range 5 {
		h.Publish(w.Write())
	}
	r.wants(w.IDs(w.Provider))
}
