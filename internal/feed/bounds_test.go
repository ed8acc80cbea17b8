package feed_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/internal/booking"
	"bookings/internal/feed"
	"bookings/internal/feedtest"
)

// prune removes all that has been written so far.
func prune(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	// Events of tests happen at one time, long ago.
	if _, _, err := feed.Prune(t.Context(), pool, time.Now().AddDate(100, 0, 0)); err != nil {
		t.Error(err)
	}
}

// headOf is the head that a SEQUENCE_OUT_OF_RANGE tells.
func headOf(err error) string {
	var known *booking.Error
	if errors.As(err, &known) && known.Reason == booking.ReasonSequenceOutOfRange {
		return known.Metadata["head"]
	}
	return ""
}

func TestOnlyAPointInsideTheFeedIsResumed(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	w.Fill(5)
	prune(t, pool)
	w.Fill(3)
	for after, resumed := range map[int64]bool{
		0: false, 4: false, 5: true, 6: true, 8: true, 9: false, 1 << 62: false,
	} {
		s := subscribe(t, h, w.Provider, number(after))
		cursor := int64(8)
		if resumed {
			cursor = after
		}
		if s.Resumed != resumed || s.Head.Sequence != 8 || s.Cursor().Sequence != cursor || resumed != (headOf(s.Refusal) == "") {
			t.Errorf("after %d: resumed %v after %v with head %v and refusal %v", after, s.Resumed, s.Cursor(), s.Head, s.Refusal)
		}
		if page, err := h.List(t.Context(), w.Provider, number(after), nil, 10); resumed && page.Head.Sequence != 8 || resumed != (headOf(err) != "8") {
			t.Errorf("after %d: the list answers %v, %v", after, page, err)
		}
	}
}

func TestARefusedSubscriptionIsLive(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	w.Fill(5)
	r := follow(t, h, w.Provider, number(6))
	for range 3 {
		h.Publish(w.Write())
	}
	r.wants(w.IDs(w.Provider)[5:])
}

func TestAFeedThatNobodyHasWrittenToIsEmpty(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	nobody := feed.Key{Role: booking.RoleProvider, User: "nobody yet"}
	later := follow(t, h, nobody, number(0))
	if s := subscribe(t, h, nobody, number(0)); !s.Resumed || s.Head != (feed.Point{}) {
		t.Errorf("resumed %v, head %v", s.Resumed, s.Head)
	}
	first := feedtest.NewWriter(t, pool, nobody.User, w.Customer.User)
	h.Publish(first.Write())
	later.wants(first.IDs(nobody))
}

func TestAReaderWhoseRestIsPrunedIsTold(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	w.Fill(3 * feed.PageSize)
	all := w.IDs(w.Provider)
	s := subscribe(t, h, w.Provider, number(0))
	if _, err := s.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	prune(t, pool)
	r := record(t, s)
	eventually(t, func() bool {
		_, err := r.state()
		return err != nil
	})
	got, err := r.state()
	if headOf(err) == "" || !slices.Equal(got, all[1:1+len(got)]) {
		t.Errorf("after %d entries it ended with %v", len(got), err)
	}
}

func TestListIsNeverTornByPruning(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, never)
	stop, pruned := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(pruned)
		for {
			select {
			case <-stop:
				return
			default:
				w.Fill(7)
				prune(t, pool)
			}
		}
	}()
	refused, listed := 0, 0
	// On a busy machine the two may take long to meet.
	ctx, cancel := context.WithTimeout(t.Context(), enough)
	defer cancel()
	for n := 0; ctx.Err() == nil && (n < 500 || refused == 0 || listed == 0); n++ {
		page, err := h.List(t.Context(), w.Provider, nil, nil, 5)
		if err != nil {
			t.Fatal(err)
		}
		after := max(page.Head.Sequence-3, 0)
		if len(page.Entries) > 0 {
			after = page.Entries[0].Sequence - 1
		}
		again, err := h.List(t.Context(), w.Provider, number(after), nil, 5)
		switch {
		case headOf(err) != "":
			refused++
		case err != nil:
			t.Fatal(err)
		case len(again.Entries) > 0 && again.Entries[0].Sequence != after+1:
			t.Fatalf("after %d the list begins with %d", after, again.Entries[0].Sequence)
		default:
			listed += len(again.Entries)
		}
	}
	close(stop)
	<-pruned
	if refused == 0 || listed == 0 {
		t.Errorf("nothing met: %d refused, %d listed", refused, listed)
	}
}

// A database that was restored from an older copy numbers its events anew.
func TestReadersOfAFeedThatWentBackAreTold(t *testing.T) {
	t.Parallel()
	w, pool := newWriter(t)
	h := startHub(t, pool, nil, often)
	const kept = feed.PageSize + 5 // more than a reader has read when it begins
	w.Fill(kept + 5)
	ahead, caughtUp := follow(t, h, w.Provider, nil), follow(t, h, w.Provider, number(kept))
	caughtUp.wants(w.IDs(w.Provider)[kept:])
	behind := subscribe(t, h, w.Provider, number(4))
	w.GoBack(kept)
	for _, r := range []*reader{ahead, caughtUp} {
		eventually(t, func() bool {
			_, err := r.state()
			return headOf(err) == strconv.Itoa(kept)
		})
	}
	h.Publish(w.Write())
	record(t, behind).wants(w.IDs(w.Provider)[4:])
	follow(t, h, w.Provider, number(kept)).wants(w.IDs(w.Provider)[kept:])
}
