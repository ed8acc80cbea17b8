package feed

import (
	"slices"
	"sync"
)

// ringSize is how many of a feed's newest entries an instance keeps while it
// has readers of it, and so how far one may fall behind before it has to read
// from PostgreSQL. Up to twice as many are kept between two cuts.
const ringSize = 512

// localFeed is what this instance knows of a feed that has readers here: its
// head and its newest entries. Readers are cursors on it, not queues, so that a
// slow one costs no memory and delays nobody.
type localFeed struct {
	key Key
	// part is the part of the interval in which the feed's head is checked.
	part int
	// readers are guarded by the hub. They are few, so that a slice is the smallest
	// set.
	readers []*Subscription

	mu sync.Mutex
	// head is the newest entry that this instance has heard of. Its id is empty
	// where it is known by its number alone.
	head Point
	// ring are the newest entries, each following on the one before it, the last of
	// them number head. It has no holes: what comes after a gap, or follows on
	// something else, begins it anew, and readers of what was before read from
	// PostgreSQL. It is empty where the head's entry is not here.
	ring []*Entry
	// movedSinceTrim tells that the head has moved since the last trim.
	movedSinceTrim bool
	// changed is closed when there is something new to see; nil where nobody waits
	// for that.
	changed chan struct{}
	// resting are the readers that are told so instead.
	resting []*Subscription
}

func newLocalFeed(key Key, part int) *localFeed { return &localFeed{key: key, part: part} }

// oldest is the number of the ring's first entry, head+1 where it is empty.
func (f *localFeed) oldest() int64 { return f.head.Sequence + 1 - int64(len(f.ring)) }

// add takes entries that follow on each other, from a broadcast or a page, in
// any order of calls and any number of times. It begins with the last: what
// precedes it is then put before it, though the ring may have been empty.
func (f *localFeed) add(entries ...Entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	added := false
	for _, entry := range slices.Backward(entries) {
		if f.acceptsLocked(entry.Sequence) {
			f.insert(&entry)
			added = true
		}
	}
	if added {
		f.wake()
	}
}

// acceptsLocked tells whether an entry would be looked at: a new one, or the one
// just before the ring. The latter is how broadcasts that have overtaken each
// other on their way come together again: n+1 begins the ring anew, n joins it.
func (f *localFeed) acceptsLocked(sequence int64) bool {
	return sequence > f.head.Sequence || sequence == f.oldest()-1 && len(f.ring) < ringSize
}

func (f *localFeed) insert(entry *Entry) {
	switch {
	case entry.Sequence <= f.head.Sequence:
		f.prepend(entry)
		return
	case f.head.leadsTo(*entry):
		f.ring = append(f.ring, entry)
	default: // a gap, or another history
		f.ring = []*Entry{entry}
	}
	if len(f.ring) > 2*ringSize {
		// Copied, so that the old array and its entries can be collected.
		f.ring = slices.Clone(f.ring[len(f.ring)-ringSize:])
	}
	f.head, f.movedSinceTrim = entry.point(), true
}

// prepend puts an entry before the ring, if it is what comes there.
func (f *localFeed) prepend(entry *Entry) {
	switch {
	case len(f.ring) > 0 && f.ring[0].PreviousID != entry.ID:
		return
	case len(f.ring) == 0 && f.head.ID != "" && f.head.ID != entry.ID:
		return
	case len(f.ring) == 0:
		f.head.ID = entry.ID
	}
	f.ring = slices.Insert(f.ring, 0, entry)
}

// correct holds what was heard against a page of PostgreSQL, which is the truth:
// entries that it has too are proven so, and where it has another under a number
// all that was heard is forgotten.
func (f *localFeed) correct(page []Entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, entry := range page {
		index := entry.Sequence - f.oldest()
		switch {
		case index < 0 || index >= int64(len(f.ring)):
		case f.ring[index].ID != entry.ID || f.ring[index].PreviousID != entry.PreviousID:
			f.ring, f.head.ID = nil, ""
			return
		case !f.ring[index].stored:
			f.ring[index] = &entry
		}
	}
}

// setHead takes a head that was read from PostgreSQL. known is the number of ours
// before that reading began: where PostgreSQL's is below it, or another entry, the
// database has gone back, restored from an older copy, and we go back with it.
// Comparing with our head of now would be wrong, since that may have moved
// meanwhile.
func (f *localFeed) setHead(known int64, head Point) {
	f.mu.Lock()
	defer f.mu.Unlock()
	other := head.Sequence == f.head.Sequence && head.ID != f.head.ID
	if head.Sequence > f.head.Sequence || head.Sequence < known || other {
		f.head, f.ring, f.movedSinceTrim = head, nil, true
		f.wake()
	}
}

// trim drops the entries of a feed where nothing has happened since the last
// call, so that idle feeds cost next to nothing.
func (f *localFeed) trim() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.movedSinceTrim {
		f.ring = nil
	}
	f.movedSinceTrim = false
}

func (f *localFeed) wake() {
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
	for _, s := range f.resting {
		s.goOn()
	}
	clear(f.resting)
	f.resting = f.resting[:0]
}

func (f *localFeed) accepts(sequence int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.acceptsLocked(sequence)
}

func (f *localFeed) knownHead() Point {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.head
}

// view is what a reader sees of the feed from its cursor.
type view struct {
	// next is the entry after the cursor; nil where the ring does not have it, or
	// something else in its place.
	next *Entry
	head Point
	// missing is how many entries lie between the cursor and the ring.
	missing int64
}

// watch is after, and a channel that is closed when another look is worth while.
func (f *localFeed) watch(cursor Point) (view, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := f.look(cursor)
	if seen.next == nil && f.changed == nil {
		f.changed = make(chan struct{})
	}
	return seen, f.changed
}

func (f *localFeed) after(cursor Point) view {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.look(cursor)
}

func (f *localFeed) look(cursor Point) view {
	seen := view{head: f.head}
	switch index := cursor.Sequence + 1 - f.oldest(); {
	case cursor.Sequence >= f.head.Sequence:
	case index < 0:
		seen.missing = -index
	case cursor.leadsTo(*f.ring[index]):
		seen.next = f.ring[index]
	}
	return seen
}
