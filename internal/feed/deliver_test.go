package feed_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"testing"

	"bookings/internal/booking"
	"bookings/internal/feed"
	"bookings/internal/feedtest"
	"bookings/internal/pgtest"
)

func TestBothPartiesGetEachEventLive(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	w.Fill(3)
	provider := follow(t, h, w.Provider, nil)
	customer := follow(t, h, w.Customer, nil)
	for range 20 {
		h.Publish(w.Write())
	}
	all := w.IDs(w.Provider)
	provider.wants(all[3:])
	customer.wants(all[3:])
	if pages := h.PagesRead(); pages != 0 {
		t.Errorf("PostgreSQL was asked %d times for what the broadcast had brought", pages)
	}
}

func TestReadersOfOtherFeedsHearNothing(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	// The same id in the other role is another feed.
	swapped := feed.Key{Role: booking.RoleCustomer, User: w.Provider.User}
	other := follow(t, h, swapped, nil)
	own := follow(t, h, w.Provider, nil)
	h.Publish(w.Write())
	own.wants(w.IDs(w.Provider))
	other.wants(nil)
}

func TestResumingLeavesNoHoleAndNoDoubleUnderLoad(t *testing.T) {
	t.Parallel()
	const writers, each, resumes = 4, 150, 40
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	w.Fill(100)
	first := follow(t, h, w.Provider, number(0))
	written := make(chan struct{})
	go func() {
		defer close(written)
		inParallel(writers, func(int) {
			for range each {
				h.Publish(w.Write())
			}
		})
	}()
	var readers []*reader
	var afters []int64
	for range resumes {
		got, _ := first.state()
		after := rand.Int64N(int64(len(got)) + 1)
		afters = append(afters, after)
		readers = append(readers, follow(t, h, w.Provider, number(after)))
	}
	<-written
	all := w.IDs(w.Provider)
	first.wants(all)
	for i, r := range readers {
		r.wants(all[afters[i]:])
	}
}

func TestALiveSubscriptionGoesOnAfterItsHead(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	stop := make(chan struct{})
	written := make(chan struct{})
	go func() {
		defer close(written)
		for {
			select {
			case <-stop:
				return
			default:
				h.Publish(w.Write())
			}
		}
	}()
	for range 50 {
		s := subscribe(t, h, w.Provider, nil)
		if s.Resumed || s.Refusal != nil || s.Cursor() != s.Head {
			t.Errorf("a live subscription begins after %v, its head is %v", s.Cursor(), s.Head)
		}
		if entry, err := s.Next(t.Context()); err != nil || entry.Sequence != s.Head.Sequence+1 {
			t.Errorf("the first entry after head %v is %d, %v", s.Head, entry.Sequence, err)
		}
		s.Close()
	}
	close(stop)
	<-written
}

func TestOvertakenAndRepeatedBroadcastsAreDeliveredOnceInOrder(t *testing.T) {
	t.Parallel()
	const n = 300
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	r := follow(t, h, w.Provider, nil)
	var entries []feed.Entry
	for range n {
		entries = append(entries, w.Write()...)
	}
	entries = append(entries, entries[:n/2]...)
	rand.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	for _, entry := range entries {
		h.Publish([]feed.Entry{entry})
	}
	r.wants(w.IDs(w.Provider))
}

func TestALostBroadcastIsFilledFromItsGap(t *testing.T) {
	t.Parallel()
	for _, lost := range []int{1, 5, 40, 2000} {
		w, pool := newWriter(t)
		h := startHub(t, pool, nil, never)
		r := follow(t, h, w.Provider, nil)
		h.Publish(w.Write())
		w.Fill(lost)
		h.Publish(w.Write())
		r.wants(w.IDs(w.Provider))
		if h.PagesRead() == 0 {
			t.Errorf("a gap of %d was filled without PostgreSQL", lost)
		}
	}
}

func TestReplayedAndLiveEnvelopesAreTheSame(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	w := feedtest.NewWriter(t, pool, "a/provider?&#%", "ä customer,;:@")
	h := startHub(t, pool, nil, never)
	live := subscribe(t, h, w.Customer, nil)
	h.Publish(w.Write())
	fromRing, err := live.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h2 := startHub(t, pool, nil, never)
	fromPostgres, err := subscribe(t, h2, w.Customer, number(0)).Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if one, other := generic(t, fromRing), generic(t, fromPostgres); one != other {
		t.Errorf("live:\n%s\nreplayed:\n%s", one, other)
	}
}

// generic is an envelope with the members of its objects in one order.
func generic(t *testing.T, entry feed.Entry) string {
	t.Helper()
	wire, err := entry.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(wire, &value); err != nil {
		t.Fatal(err)
	}
	sorted, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(sorted)
}

func TestNextEndsWithItsContext(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	s := subscribe(t, h, w.Provider, nil)
	cause := booking.Errorf(booking.ReasonTokenExpired, "over")
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error)
	go func() {
		_, err := s.Next(ctx)
		ended <- err
	}()
	cancel(cause)
	if err := <-ended; !errors.Is(err, cause) {
		t.Errorf("it ended with %v", err)
	}
}
