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
	// readers are guarded by the hub.
	readers map[*Subscription]struct{}

	mu sync.Mutex
	// head is the highest number that this instance has heard of.
	head int64
	// ring are the newest entries, each the one before it plus one, the last of
	// them number head. It has no holes: what comes after a gap begins it anew, and
	// readers of what was before read from PostgreSQL. It is empty where the head
	// is known by its number alone.
	ring []*Entry
	// movedSinceTrim tells that the head has moved since the last trim.
	movedSinceTrim bool
	// changed is closed when there is something new to see.
	changed chan struct{}
}

func newLocalFeed(key Key, part int) *localFeed {
	return &localFeed{key: key, part: part, readers: map[*Subscription]struct{}{}, changed: make(chan struct{})}
}

// oldest is the number of the ring's first entry, head+1 where it is empty.
func (f *localFeed) oldest() int64 { return f.head + 1 - int64(len(f.ring)) }

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

// acceptsLocked tells whether an entry would be kept: a new one, or the one just
// before the ring. The latter is how broadcasts that have overtaken each other
// on their way come together again: n+1 begins the ring anew, n joins it.
func (f *localFeed) acceptsLocked(sequence int64) bool {
	return sequence > f.head || sequence == f.oldest()-1 && len(f.ring) < ringSize
}

func (f *localFeed) insert(entry *Entry) {
	switch {
	case entry.Sequence <= f.head:
		f.ring = slices.Insert(f.ring, 0, entry)
		return
	case entry.Sequence == f.head+1:
		f.ring = append(f.ring, entry)
	default: // a gap
		f.ring = []*Entry{entry}
	}
	if len(f.ring) > 2*ringSize {
		// Copied, so that the old array and its entries can be collected.
		f.ring = slices.Clone(f.ring[len(f.ring)-ringSize:])
	}
	f.head, f.movedSinceTrim = entry.Sequence, true
}

// setHead takes a head that was read from PostgreSQL. known is what ours was
// before that reading began: where PostgreSQL's is below it, the database has
// gone back, restored from an older copy, and we go back with it. Comparing with
// our head of now would be wrong, since that may have moved meanwhile.
func (f *localFeed) setHead(known, head int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if head > f.head || head < known {
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
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *localFeed) accepts(sequence int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.acceptsLocked(sequence)
}

func (f *localFeed) knownHead() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.head
}

// view is what a reader sees of the feed from its cursor.
type view struct {
	// next is the entry after the cursor; nil where the ring does not have it.
	next *Entry
	head int64
	// missing is how many entries lie between the cursor and the ring.
	missing int64
	// changed is closed when another look is worth while.
	changed <-chan struct{}
}

func (f *localFeed) after(cursor int64) view {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := view{head: f.head, changed: f.changed}
	switch index := cursor + 1 - f.oldest(); {
	case cursor >= f.head:
	case index < 0:
		seen.missing = -index
	default:
		seen.next = f.ring[index]
	}
	return seen
}
