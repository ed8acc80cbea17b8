package feed

import (
	"fmt"
	"slices"
	"testing"
)

// step is one thing that a local feed is told: entries that follow on each
// other, or a head that was read.
type step struct {
	first, last int64
	known, head int64
}

func heard(number int64) step          { return step{first: number, last: number} }
func page(first, last int64) step      { return step{first: first, last: last} }
func readHead(known, head int64) step  { return step{known: known, head: head} }
func heardAll(numbers ...int64) []step { return apply(numbers, heard) }

func apply(numbers []int64, f func(int64) step) (steps []step) {
	for _, number := range numbers {
		steps = append(steps, f(number))
	}
	return steps
}

func (s step) tell(f *localFeed) {
	if s.first == 0 {
		f.setHead(s.known, point(s.head))
		return
	}
	var entries []Entry
	for number := s.first; number <= s.last; number++ {
		entries = append(entries, entry(number))
	}
	f.add(entries...)
}

// entry is the entry with a number of one and the same history.
func entry(number int64) Entry {
	return Entry{Sequence: number, ID: point(number).ID, PreviousID: point(number - 1).ID, stored: true}
}

func point(number int64) Point {
	if number == 0 {
		return Point{}
	}
	return Point{Sequence: number, ID: fmt.Sprintf("id %d", number)}
}

// What a reader finds after a cursor, for what a local feed has been told: one
// run of the newest entries, whatever came how.
func TestTheRingIsOneRunOfTheNewestEntries(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		steps []step
		// first is the oldest number that the ring has; head+1 for none.
		first, head int64
	}{
		"nothing":                       {nil, 1, 0},
		"in order":                      {heardAll(1, 2, 3), 1, 3},
		"from anywhere":                 {heardAll(7, 8), 7, 8},
		"again":                         {heardAll(1, 2, 2, 1, 3), 1, 3},
		"overtaken":                     {heardAll(1, 3, 2), 2, 3},
		"twice overtaken":               {heardAll(1, 4, 3, 2), 2, 4},
		"a gap":                         {heardAll(1, 3), 3, 3},
		"too late for the ring":         {heardAll(1, 4, 2), 4, 4},
		"a head that is known":          {append(heardAll(1, 2), readHead(2, 2)), 1, 2},
		"a higher head":                 {append(heardAll(1, 2), readHead(2, 3)), 4, 3},
		"a higher head, its entry":      {append(heardAll(1, 2), readHead(2, 3), heard(3)), 3, 3},
		"a higher head, the next":       {append(heardAll(1, 2), readHead(2, 3), heard(4)), 4, 4},
		"a head read before a newer":    {append(heardAll(1, 2, 3), readHead(2, 2)), 1, 3},
		"a database that has gone back": {append(heardAll(1, 2, 3), readHead(3, 1)), 2, 1},
		"a page up to the head":         {[]step{readHead(0, 9), page(5, 9)}, 5, 9},
		"a page beyond the head":        {[]step{readHead(0, 9), page(5, 11)}, 5, 11},
		"a page that fills a gap":       {append(heardAll(1, 5, 6), page(2, 6)), 2, 6},
		"a page far behind":             {append(heardAll(8, 9), page(1, 4)), 8, 9},
		"a page just before":            {append(heardAll(8, 9), page(4, 7)), 4, 9},
		"a page of what is known":       {append(heardAll(1, 2, 3), page(1, 3)), 1, 3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newLocalFeed(Key{}, 0)
			for _, s := range test.steps {
				s.tell(f)
			}
			if f.head != point(test.head) {
				t.Errorf("the head is %v, not %d", f.head, test.head)
			}
			for cursor := range test.head + 2 {
				seen := f.after(point(cursor))
				has := cursor+1 >= test.first && cursor < test.head
				if has != (seen.next != nil) || has && seen.next.Sequence != cursor+1 || !has && cursor < test.head && seen.missing != test.first-1-cursor {
					t.Errorf("after %d: %+v", cursor, seen)
				}
			}
		})
	}
}

func TestTheRingKeepsTheNewestEntries(t *testing.T) {
	t.Parallel()
	f := newLocalFeed(Key{}, 0)
	for number := range int64(5*ringSize) + 7 {
		f.add(entry(number + 1))
		if len(f.ring) > 2*ringSize {
			t.Fatalf("it keeps %d", len(f.ring))
		}
		oldest := max(0, number+1-ringSize)
		if seen := f.after(point(oldest)); seen.next == nil || seen.next.Sequence != oldest+1 {
			t.Fatalf("at head %d, the entry after %d is gone", number+1, oldest)
		}
	}
}

func TestTheRingDoesNotGrowBackwards(t *testing.T) {
	t.Parallel()
	const head = 10 * ringSize
	f := newLocalFeed(Key{}, 0)
	f.setHead(0, point(head))
	for number := int64(head); number > 0; number-- {
		f.add(entry(number))
	}
	if f.head.Sequence != head || len(f.ring) != ringSize {
		t.Errorf("it keeps %d up to %v", len(f.ring), f.head)
	}
}

// Who waits is woken by what is new, and by nothing else: a thousand readers may.
func TestOnlyNewsWakesReaders(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		step  step
		wakes bool
	}{
		"the next":          {heard(6), true},
		"one after a gap":   {heard(9), true},
		"the one before":    {heard(3), true},
		"one that is known": {heard(5), false},
		"one too old":       {heard(2), false},
		"the head":          {readHead(5, 5), false},
		"a higher head":     {readHead(5, 6), true},
		"a lower head":      {readHead(5, 4), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newLocalFeed(Key{}, 0)
			page(4, 5).tell(f)
			_, changed := f.watch(point(5))
			test.step.tell(f)
			select {
			case <-changed:
				if !test.wakes {
					t.Error("it woke readers")
				}
			default:
				if test.wakes {
					t.Error("it woke nobody")
				}
			}
		})
	}
}

func TestTrimDropsWhatAnIdleFeedHas(t *testing.T) {
	t.Parallel()
	f := newLocalFeed(Key{}, 0)
	f.add(entry(1))
	for _, kept := range []int{1, 0, 0} {
		if f.trim(); len(f.ring) != kept || f.head.Sequence != 1 {
			t.Errorf("%d entries are kept up to %v, not %d", len(f.ring), f.head, kept)
		}
	}
	f.add(entry(2))
	if seen := f.after(point(1)); seen.next == nil || !slices.Equal([]int64{seen.next.Sequence}, []int64{2}) {
		t.Errorf("after 1: %+v", seen)
	}
}
