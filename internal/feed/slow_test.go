package feed_test

import (
	"testing"

	"bookings/internal/booking"
	"bookings/internal/feed"
)

// overrun is more than a live reader may fall behind.
const overrun = 2*feed.RingSize + feed.PageSize

// wantsTooSlow reads on until the reader is told that it is too slow.
func wantsTooSlow(t *testing.T, s *feed.Subscription) {
	t.Helper()
	for range feed.PageSize {
		if _, err := s.Next(t.Context()); err != nil {
			if !booking.IsReason(err, booking.ReasonRateLimited) {
				t.Errorf("the slow reader got %v", err)
			}
			return
		}
	}
	t.Error("the slow reader was not ended")
}

func TestASlowReaderIsEndedAndDelaysNobody(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	h.SlowAfter = 1
	slow := subscribe(t, h, w.Provider, nil)
	other := startHub(t, pool, nil, never) // with more patience
	fast := follow(t, other, w.Provider, nil)
	h.Publish(w.Write())
	if _, err := slow.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range overrun {
		entries := w.Write()
		h.Publish(entries)
		other.Publish(entries)
	}
	fast.wants(w.IDs(w.Provider))
	wantsTooSlow(t, slow)
	follow(t, other, w.Provider, new(slow.Cursor())).wants(w.IDs(w.Provider)[slow.Cursor():])
}

// A burst is nobody's slowness: Redis may hand on at once what it held back.
func TestAReaderThatABurstOverrunsIsNotSlow(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	r := follow(t, h, w.Provider, nil)
	var entries []feed.Entry
	for range 2 * overrun {
		entries = append(entries, w.Write()...)
	}
	h.Publish(entries)
	r.wants(w.IDs(w.Provider))
}

func TestAReaderAFewEntriesBehindIsNotSlow(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	h.SlowAfter = 1
	s := subscribe(t, h, w.Provider, nil)
	h.Publish(w.Write())
	if _, err := s.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range feed.RingSize - 1 {
		h.Publish(w.Write())
	}
	record(t, s).wants(w.IDs(w.Provider)[1:])
	if h.Healed() != 0 {
		t.Error("PostgreSQL was asked for what the ring had")
	}
}

func TestAReaderThatCatchesUpIsNeverSlow(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	h.SlowAfter = 1
	w.Fill(5 * overrun)
	s := subscribe(t, h, w.Provider, number(0))
	// It has begun to read, and does not go on before the ring has passed it.
	if _, err := s.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range overrun {
		h.Publish(w.Write())
	}
	record(t, s).wants(w.IDs(w.Provider)[1:])
}

func TestAReaderThatHealsIsNeverSlow(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	h.SlowAfter = 1
	s := subscribe(t, h, w.Provider, nil)
	h.Publish(w.Write())
	if _, err := s.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.Fill(overrun) // lost broadcasts
	h.Publish(w.Write())
	// It begins to heal, and does not go on before the ring has passed it.
	if _, err := s.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range overrun {
		h.Publish(w.Write())
	}
	record(t, s).wants(w.IDs(w.Provider)[2:])
}

// A gap that one broadcast leaves while the reader stalls is no excuse.
func TestAStalledReaderIsSlowInSpiteOfAGap(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	h.SlowAfter = 1
	s := subscribe(t, h, w.Provider, nil)
	h.Publish(w.Write())
	if _, err := s.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range overrun {
		if entries := w.Write(); i%100 != 50 {
			h.Publish(entries)
		}
	}
	wantsTooSlow(t, s)
}

func TestAThousandSlowReadersHoldLittle(t *testing.T) {
	t.Parallel()
	const readers = 1000
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	w.Fill(2 * overrun)
	slow := make([]*feed.Subscription, readers)
	inParallel(8, func(i int) {
		for j := i; j < readers; j += 8 {
			slow[j] = subscribe(t, h, w.Provider, number(0))
			if _, err := slow[j].Next(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	for range overrun {
		h.Publish(w.Write())
	}
	for _, s := range slow {
		if held := s.Held(); held >= feed.PageSize {
			t.Errorf("a slow reader holds %d entries", held)
		}
	}
	if kept, _ := h.Kept(w.Provider); kept > 2*feed.RingSize {
		t.Errorf("the feed holds %d entries", kept)
	}
}

func TestAnIdleFeedKeepsNoEntries(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, often)
	r := follow(t, h, w.Provider, nil)
	for range 10 {
		h.Publish(w.Write())
	}
	r.wants(w.IDs(w.Provider))
	eventually(t, func() bool {
		kept, known := h.Kept(w.Provider)
		return kept == 0 && known
	})
	h.Publish(w.Write())
	r.wants(w.IDs(w.Provider))
}
