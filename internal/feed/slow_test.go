package feed_test

import (
	"testing"

	"bookings/internal/feed"
)

// overrun is more than a live reader may fall behind.
const overrun = 2*feed.RingSize + feed.PageSize

// stall reads the first entry of a subscription: it is live then, and does not go
// on to read.
func stall(t *testing.T, s *feed.Subscription) {
	t.Helper()
	if _, err := s.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestASlowReaderDelaysNobodyAndMissesNothing(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("fills buffers")
	}
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	slow, fast := subscribe(t, h, w.Provider, nil), follow(t, h, w.Provider, nil)
	h.Publish(w.Write())
	stall(t, slow)
	for range overrun {
		h.Publish(w.Write())
	}
	all := w.IDs(w.Provider)
	fast.wants(all)
	read := h.PagesRead()
	record(t, slow).wants(all[1:])
	if h.PagesRead() == read {
		t.Error("the ring was larger than this test assumes")
	}
}

// Redis may hand on at once what it held back.
func TestAReaderThatABurstOverrunsMissesNothing(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	r := follow(t, h, w.Provider, nil)
	var burst [][]feed.Entry
	for range 2 * overrun {
		burst = append(burst, w.Write())
	}
	for _, entries := range burst {
		h.Publish(entries)
	}
	r.wants(w.IDs(w.Provider))
}

func TestAReaderAFewEntriesBehindNeedsNoPostgres(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	s := subscribe(t, h, w.Provider, nil)
	h.Publish(w.Write())
	stall(t, s)
	for range feed.RingSize - 1 {
		h.Publish(w.Write())
	}
	record(t, s).wants(w.IDs(w.Provider)[1:])
	if h.PagesRead() != 0 {
		t.Error("PostgreSQL was asked for what the ring had")
	}
}

func TestAReaderThatIsOverrunWhileItReplaysMissesNothing(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	w.Fill(5 * overrun)
	s := subscribe(t, h, w.Provider, number(0))
	// It has begun to read, and does not go on before the ring has passed it.
	stall(t, s)
	for range overrun {
		h.Publish(w.Write())
	}
	record(t, s).wants(w.IDs(w.Provider)[1:])
}

func TestAReaderThatIsOverrunWhileItHealsMissesNothing(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	s := subscribe(t, h, w.Provider, nil)
	h.Publish(w.Write())
	stall(t, s)
	w.Fill(overrun) // lost broadcasts
	h.Publish(w.Write())
	// It begins to heal, and does not go on before the ring has passed it.
	stall(t, s)
	for range overrun {
		h.Publish(w.Write())
	}
	record(t, s).wants(w.IDs(w.Provider)[2:])
}

func TestAReaderThatStallsThroughGapsMissesNothing(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	s := subscribe(t, h, w.Provider, nil)
	h.Publish(w.Write())
	stall(t, s)
	for i := range overrun {
		if entries := w.Write(); i%100 != 50 {
			h.Publish(entries)
		}
	}
	record(t, s).wants(w.IDs(w.Provider)[1:])
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
	if testing.Short() {
		t.Skip("waits for two checks")
	}
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
