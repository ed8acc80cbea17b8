package feed_test

import (
	"context"
	"testing"

	"bookings/internal/booking"
	"bookings/internal/feed"
)

// rest begins a rest, which has to be one, and tells how often it has ended.
func rest(t *testing.T, s *feed.Subscription) (ended func() int) {
	t.Helper()
	calls := make(chan struct{}, 10)
	if !s.Rest(t.Context(), func() { calls <- struct{}{} }) {
		t.Fatal("there is no rest")
	}
	return func() int { return len(calls) }
}

func TestARestEndsOnceWhateverComes(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	s := subscribe(t, h, w.Provider, nil)
	ended := rest(t, s)
	for range 3 {
		h.Publish(w.Write())
	}
	s.Wake()
	if n := ended(); n != 1 {
		t.Errorf("it ended %d times", n)
	}
	for range 3 {
		if s.Rest(t.Context(), nil) || !s.Ready() {
			t.Fatal("there are entries")
		}
		if _, err := s.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ended = rest(t, s)
	s.Wake()
	s.Wake()
	if n := ended(); n != 1 {
		t.Errorf("Wake ended it %d times", n)
	}
}

func TestARestEndsWithTheHub(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	s := subscribe(t, h, w.Provider, nil)
	ended := rest(t, s)
	h.EndAll(0)
	eventually(t, func() bool { return ended() == 1 })
	if _, err := s.Next(t.Context()); s.Rest(t.Context(), nil) || !booking.IsReason(err, booking.ReasonShuttingDown) {
		t.Errorf("after it: %v", err)
	}
}

func TestARestEndsWhereALostBroadcastIsFound(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, often)
	s := subscribe(t, h, w.Provider, nil)
	ended := rest(t, s)
	w.Write()
	eventually(t, func() bool { return ended() == 1 })
	if _, err := s.Next(t.Context()); err != nil {
		t.Error(err)
	}
}

// Whoever ends a context and wakes never meets a reader that goes to rest after it.
func TestNobodyRestsWhoseContextHasEnded(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	s := subscribe(t, h, w.Provider, nil)
	for range 1000 {
		ctx, cancel := context.WithCancel(t.Context())
		begun, woken := make(chan struct{}), make(chan struct{})
		go func() {
			close(begun)
			cancel()
			s.Wake()
		}()
		<-begun
		if s.Rest(ctx, func() { close(woken) }) {
			<-woken
		}
	}
}
