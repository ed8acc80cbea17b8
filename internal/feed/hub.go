package feed

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
)

// MaxReaders is how many sockets and streams a user may hold on one instance.
const MaxReaders = 10

const slowAfter = 5 * time.Second

// Hub is this instance's end of the broadcast: it takes entries after their
// commit, carries them to the other instances, and wakes local readers.
type Hub struct {
	// SlowAfter is how much of its own time a live reader that the newest entries
	// have overrun may take to catch up, before it is ended as too slow. It is
	// set before the first subscription; NewHub makes it 5 seconds.
	SlowAfter time.Duration

	db  sqlc.DBTX
	log *slog.Logger
	// redis is nil where entries are broadcast inside this process alone.
	redis *Redis
	// interval is how often every local feed's head is checked.
	interval time.Duration
	// reading is how reading feeds from PostgreSQL goes.
	reading outage
	healed  atomic.Int64
	stale   staleFeeds

	mu     sync.Mutex
	topics map[Key]*topic
	// joined counts topics, to deal them into slots.
	joined int
	ending bool
}

// NewHub makes a hub over the pool that feeds are read from. redis may be nil.
func NewHub(db sqlc.DBTX, redis *Redis, log *slog.Logger) *Hub {
	return &Hub{
		SlowAfter: slowAfter,
		db:        db, redis: redis, log: log, interval: checkInterval,
		topics: map[Key]*topic{},
		stale:  staleFeeds{keys: map[Key]struct{}{}, added: make(chan struct{}, 1)},
		reading: outage{
			log: log, failure: "feeds cannot be read: readers wait", over: "feeds can be read again",
		},
	}
}

// Publish tells all instances of entries whose transaction has committed. It
// never waits and never fails: what gets lost is found by its gap, or by the
// next check of the heads.
func (h *Hub) Publish(entries []Entry) {
	for _, entry := range entries {
		topic := h.topic(entry.Key)
		if topic == nil && h.redis == nil {
			continue
		}
		wire, err := entry.JSON()
		if err != nil {
			h.log.Error("cannot broadcast an entry", "feed", entry.Key.Source(), "error", err)
			continue
		}
		entry.wire = wire
		if topic != nil {
			topic.hear(entry)
		}
		if h.redis != nil {
			h.redis.publish(entry)
		}
	}
}

// deliver takes an entry that another instance has broadcast.
func (h *Hub) deliver(entry Entry) {
	if topic := h.topic(entry.Key); topic != nil {
		topic.hear(entry)
	}
}

// Dropped is how many broadcasts were not handed to Redis, because it did not
// keep up or could not be reached.
func (h *Hub) Dropped() int64 {
	if h.redis == nil {
		return 0
	}
	return h.redis.dropped.Load()
}

// Healed is how often a reader that had caught up had to read from PostgreSQL
// what the broadcast had not brought.
func (h *Hub) Healed() int64 { return h.healed.Load() }

func (h *Hub) topic(key Key) *topic {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.topics[key]
}

// Subscribe begins a subscription to a feed: after the given number, or, where
// that is nil, with what comes from now on. A number that is pruned or ahead of
// the head gives a live subscription with a Refusal. limit is the most readers
// that the feed's user may have here, 0 for a reader that is not counted: past
// it, RATE_LIMITED. It fails with SHUTTING_DOWN after EndAll.
func (h *Hub) Subscribe(ctx context.Context, key Key, after *int64, limit int) (*Subscription, error) {
	s, err := h.join(key, limit)
	if err != nil {
		return nil, err
	}
	// Joined first, then read: an entry that is committed after this reading is
	// broadcast to a topic that is there.
	ctx, cancel := context.WithTimeout(ctx, readDeadline)
	defer cancel()
	known := s.topic.after(0).head
	bounds, err := ReadBounds(ctx, h.db, key)
	if err != nil {
		s.Close()
		return nil, err
	}
	s.topic.learn(known, bounds.Head)
	s.Head, s.cursor = bounds.Head, bounds.Head
	if after != nil {
		s.Refusal = bounds.Check(*after)
		if s.Resumed = s.Refusal == nil; s.Resumed {
			s.cursor = *after
		}
	}
	s.look()
	return s, nil
}

var errEnding = booking.Errorf(booking.ReasonShuttingDown, "this instance is going away: connect again")

func (h *Hub) join(key Key, limit int) (*Subscription, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t, known := h.topics[key]
	switch {
	case h.ending:
		return nil, errEnding
	case limit > 0 && known && t.people() >= limit:
		err := booking.Errorf(booking.ReasonRateLimited, "at most %d sockets and streams a user on one instance", limit)
		err.RetryAfter = time.Second
		return nil, err
	case !known:
		t = newTopic(key, h.joined%checkSlots)
		h.joined++
		h.topics[key] = t
		if h.redis != nil {
			h.redis.join(key)
		}
	}
	s := &Subscription{hub: h, topic: t, person: limit > 0, over: make(chan struct{})}
	t.readers[s] = struct{}{}
	return s, nil
}

// people counts the readers that count.
func (t *topic) people() (n int) {
	for s := range t.readers {
		if s.person {
			n++
		}
	}
	return n
}

func (h *Hub) leave(s *Subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := s.topic
	delete(t.readers, s)
	if len(t.readers) > 0 {
		return
	}
	delete(h.topics, t.key)
	if h.redis != nil {
		h.redis.leave(t.key)
	}
}

// EndAll ends all subscriptions with SHUTTING_DOWN, at random moments within
// spread, so that their readers do not all come back elsewhere at once. It
// returns at once; from here on there are no new ones.
func (h *Hub) EndAll(spread time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ending {
		return
	}
	h.ending = true
	for _, topic := range h.topics {
		for s := range topic.readers {
			time.AfterFunc(rand.N(spread+1), func() { close(s.over) })
		}
	}
}
