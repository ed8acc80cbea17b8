package feed

import (
	"fmt"
	"testing"
)

// foreign is the entry with a number of another history, which has left ours
// after the number fork.
func foreign(number, fork int64) Entry {
	id := func(n int64) string {
		if n <= fork {
			return point(n).ID
		}
		return fmt.Sprintf("foreign id %d", n)
	}
	return Entry{Sequence: number, ID: id(number), PreviousID: id(number - 1)}
}

// unproven is an entry of ours that was only heard of.
func unproven(number int64) Entry {
	heard := entry(number)
	heard.stored = false
	return heard
}

// pageOf are entries as PostgreSQL has them.
func pageOf(first, last int64) (page []Entry) {
	for number := first; number <= last; number++ {
		page = append(page, entry(number))
	}
	return page
}

// checkRing holds a feed against the run of our entries that it should have.
func checkRing(t *testing.T, f *localFeed, head Point, first, last int64) {
	t.Helper()
	if f.head != head || int64(len(f.ring)) != last-first+1 {
		t.Fatalf("it has %d entries up to %v, not %d to %d up to %v", len(f.ring), f.head, first, last, head)
	}
	for i, kept := range f.ring {
		if want := entry(first + int64(i)); kept.ID != want.ID || kept.PreviousID != want.PreviousID {
			t.Errorf("in place of entry %d it has %+v", want.Sequence, kept)
		}
	}
}

func TestAnEntryOfAnotherHistoryIsNobodysNext(t *testing.T) {
	t.Parallel()
	f := newLocalFeed(Key{}, 0)
	f.add(pageOf(1, 3)...)
	f.add(foreign(4, 1))
	for cursor := range int64(4) {
		if seen := f.after(point(cursor)); seen.next != nil {
			t.Errorf("after %d comes %+v", cursor, seen.next)
		}
	}
	if seen := f.after(foreign(3, 1).point()); seen.next == nil {
		t.Error("who is on that history does not get it")
	}
}

// Every feed begins with an entry that follows on none.
func TestTheFirstEntryOfAFeedIsDeliveredOnlyOnceItIsProven(t *testing.T) {
	t.Parallel()
	f := newLocalFeed(Key{}, 0)
	f.add(unproven(1))
	if seen := f.after(Point{}); seen.next != nil {
		t.Errorf("it delivers %+v", seen.next)
	}
	f.correct(pageOf(1, 1))
	if seen := f.after(Point{}); seen.next == nil || seen.next.ID != entry(1).ID {
		t.Errorf("it delivers %+v", seen.next)
	}
}

func TestAPageCorrectsWhatWasHeard(t *testing.T) {
	t.Parallel()
	unknown := func(number int64) Point { return Point{Sequence: number} }
	for name, test := range map[string]struct {
		heard []Entry
		page  []Entry
		// The head and the run of entries that are left.
		head        Point
		first, last int64
	}{
		"the same":                {pageOf(1, 3), pageOf(1, 3), point(3), 1, 3},
		"before what was heard":   {pageOf(4, 6), pageOf(1, 3), point(6), 4, 6},
		"after what was heard":    {pageOf(1, 3), pageOf(4, 6), point(3), 1, 3},
		"another newest":          {[]Entry{entry(2), foreign(3, 2)}, pageOf(1, 3), unknown(3), 1, 0},
		"another before a newest": {[]Entry{foreign(2, 1), foreign(3, 1)}, pageOf(2, 2), unknown(3), 1, 0},
		"the same, after another": {[]Entry{{Sequence: 3, ID: point(3).ID, PreviousID: "foreign"}}, pageOf(3, 3), unknown(3), 1, 0},
		"nothing heard":           {nil, pageOf(1, 3), Point{}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newLocalFeed(Key{}, 0)
			f.add(test.heard...)
			f.correct(test.page)
			checkRing(t, f, test.head, test.first, test.last)
			for _, kept := range f.ring {
				for _, proven := range test.page {
					if kept.Sequence == proven.Sequence && !kept.stored {
						t.Errorf("entry %d is not proven", kept.Sequence)
					}
				}
			}
		})
	}
}

// What a page has takes the place of what was forgotten for it.
func TestAPageUpToTheHeadReplacesAnotherHistory(t *testing.T) {
	t.Parallel()
	f := newLocalFeed(Key{}, 0)
	f.add(foreign(2, 1), foreign(3, 1))
	f.correct(pageOf(1, 3))
	f.add(pageOf(1, 3)...)
	checkRing(t, f, point(3), 1, 3)
}

func TestOnlyWhatTheRingFollowsOnIsPutBeforeIt(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ring []Entry
		head Point // where the ring is empty
		late Entry
		// The run of entries that there is then.
		first, last int64
	}{
		"the one before the ring":        {pageOf(3, 4), Point{}, entry(2), 2, 4},
		"another one before the ring":    {pageOf(3, 4), Point{}, foreign(2, 1), 3, 4},
		"the head's entry":               {nil, point(4), entry(4), 4, 4},
		"another one of its number":      {nil, point(4), foreign(4, 1), 1, 0},
		"one of a head of a number only": {nil, Point{Sequence: 4}, entry(4), 4, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newLocalFeed(Key{}, 0)
			f.add(test.ring...)
			if test.ring == nil {
				f.head = test.head
			}
			f.add(test.late)
			checkRing(t, f, point(4), test.first, test.last)
		})
	}
}

func TestAHeadOfAnotherHistoryReplacesOurs(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		known    int64
		read     Point
		replaced bool
	}{
		"the same entry":                    {3, point(3), false},
		"another entry of the same number":  {3, foreign(3, 1).point(), true},
		"a lower one, read before a newer":  {2, foreign(2, 1).point(), false},
		"a lower one than what was known":   {3, foreign(2, 1).point(), true},
		"a higher one of whichever history": {3, foreign(5, 1).point(), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newLocalFeed(Key{}, 0)
			f.add(pageOf(1, 3)...)
			_, changed := f.watch(point(3))
			f.setHead(test.known, test.read)
			if test.replaced {
				checkRing(t, f, test.read, 1, 0)
			} else {
				checkRing(t, f, point(3), 1, 3)
			}
			select {
			case <-changed:
				if !test.replaced {
					t.Error("it woke readers")
				}
			default:
				if test.replaced {
					t.Error("it woke nobody")
				}
			}
		})
	}
}
