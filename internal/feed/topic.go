package feed

import "sync"

const (
	// ringSize is how many of a feed's newest entries an instance keeps while it
	// has readers of it, and so how far a live reader may fall behind before it
	// has to ask PostgreSQL. Up to twice as many are kept between two cuts.
	ringSize = 512
	// maxHoles is how many numbers in a row may be missing in the ring, for
	// broadcasts that overtake each other on their way. More were lost.
	maxHoles = 32
)

// topic is what this instance knows of one feed that has local readers: its
// head, and its newest entries. Readers are cursors on it, so that a slow one
// costs no memory and delays nobody.
type topic struct {
	key Key
	// slot is the feed's turn in the regular check of heads.
	slot int
	// readers are guarded by the hub.
	readers map[*Subscription]struct{}

	mu sync.Mutex
	// head is the highest number that this instance has heard of.
	head int64
	// ring are the newest numbers, the last of them head; nil where the entry
	// itself has not been heard.
	ring []*Entry
	// jumps counts how often the ring was begun anew, which makes readers ask
	// PostgreSQL through no fault of theirs.
	jumps int
	// stirred tells that the head has moved since the last regular check.
	stirred bool
	// changed is closed when the head moves or a hole is filled.
	changed chan struct{}
}

func newTopic(key Key, slot int) *topic {
	return &topic{key: key, slot: slot, readers: map[*Subscription]struct{}{}, changed: make(chan struct{})}
}

// hear takes an entry, from a broadcast or from PostgreSQL, in any order and
// any number of times.
func (t *topic) hear(entry Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if entry.Sequence > t.head {
		t.extend(entry.Sequence, &entry)
		return
	}
	if i := t.index(entry.Sequence); i >= 0 && t.ring[i] == nil {
		t.ring[i] = &entry
		t.wake()
	}
}

// learn takes a head that was read from PostgreSQL. known is what ours was
// before that reading began: where PostgreSQL is below it, the database itself
// has gone back, restored from an older copy.
func (t *topic) learn(known, head int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case head > t.head:
		t.extend(head, nil)
	case head < known:
		t.restart()
		t.head = head
		t.wake()
	}
}

// extend moves the head forward; entry is nil where only the number is known.
func (t *topic) extend(head int64, entry *Entry) {
	holes := head - t.head - 1
	if holes > maxHoles {
		t.restart()
		holes = 0
	}
	t.ring = append(append(t.ring, make([]*Entry, holes)...), entry)
	if len(t.ring) > 2*ringSize {
		t.ring = append([]*Entry(nil), t.ring[len(t.ring)-ringSize:]...)
	}
	t.head = head
	t.stirred = true
	t.wake()
}

// restart forgets the entries.
func (t *topic) restart() {
	t.ring = nil
	t.jumps++
}

// rest forgets the entries of a feed where nothing has happened since the last
// call, so that idle feeds cost next to nothing.
func (t *topic) rest() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.stirred && t.ring != nil {
		t.restart()
	}
	t.stirred = false
}

func (t *topic) wake() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// index is where a number up to head is in the ring; negative where it is older.
func (t *topic) index(sequence int64) int64 {
	return int64(len(t.ring)) - 1 - (t.head - sequence)
}

// view is what a reader sees of the topic from its cursor.
type view struct {
	// next is the entry after the cursor, nil where there is none or only
	// PostgreSQL has it.
	next *Entry
	// behind tells that the entry after the cursor is older than the ring.
	behind  bool
	head    int64
	jumps   int
	changed <-chan struct{}
}

func (t *topic) after(cursor int64) view {
	t.mu.Lock()
	defer t.mu.Unlock()
	seen := view{head: t.head, jumps: t.jumps, changed: t.changed}
	if cursor >= t.head {
		return seen
	}
	i := t.index(cursor + 1)
	if seen.behind = i < 0; !seen.behind {
		seen.next = t.ring[i]
	}
	return seen
}
