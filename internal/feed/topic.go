package feed

import "sync"

// ringSize is how many of a feed's newest entries an instance keeps while it
// has readers of it, and so how far a live reader may fall behind before it
// counts as slow.
const ringSize = 256

// topic is what this instance knows of one feed that has local readers: its
// head, and its newest entries. Readers are cursors on it, so that a slow one
// costs no memory and delays nobody.
type topic struct {
	key Key
	// readers is guarded by the hub.
	readers int

	mu sync.Mutex
	// head is the highest number that this instance has heard of.
	head int64
	// ring holds consecutive entries that end at head; it is empty while only
	// the number is known.
	ring []Entry
	// jumps counts how often head moved without the entries before it.
	jumps int
	// changed is closed when head moves.
	changed chan struct{}
}

func newTopic(key Key) *topic { return &topic{key: key, changed: make(chan struct{})} }

// advance takes a broadcast entry. One that is known already is ignored; one
// that leaves a gap starts the ring anew, and readers fill the gap from
// PostgreSQL.
func (t *topic) advance(entry Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if entry.Sequence <= t.head {
		return
	}
	if entry.Sequence != t.head+1 {
		t.ring = nil
		t.jumps++
	}
	if len(t.ring) >= 2*ringSize {
		t.ring = append([]Entry(nil), t.ring[len(t.ring)-ringSize:]...)
	}
	t.ring = append(t.ring, entry)
	t.moved(entry.Sequence)
}

// learn takes a head that was read from PostgreSQL and reports whether it was
// news.
func (t *topic) learn(head int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if head <= t.head {
		return false
	}
	t.ring = nil
	t.jumps++
	t.moved(head)
	return true
}

func (t *topic) moved(head int64) {
	t.head = head
	close(t.changed)
	t.changed = make(chan struct{})
}

// view is what a reader sees of the topic from its cursor.
type view struct {
	// next is the entry after the cursor, nil where only PostgreSQL has it.
	next    *Entry
	head    int64
	jumps   int
	changed <-chan struct{}
}

func (t *topic) after(cursor int64) view {
	t.mu.Lock()
	defer t.mu.Unlock()
	seen := view{head: t.head, jumps: t.jumps, changed: t.changed}
	if len(t.ring) > 0 && cursor < t.head {
		if i := cursor + 1 - t.ring[0].Sequence; i >= 0 {
			seen.next = &t.ring[i]
		}
	}
	return seen
}
