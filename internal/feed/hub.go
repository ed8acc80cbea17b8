package feed

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
)

// MaxReaders is how many sockets and streams a user may hold on one instance.
const MaxReaders = 10

// Hub is this instance's end of the broadcast: it takes entries after their
// commit, carries them to the other instances, and wakes local readers.
type Hub struct {
	db  sqlc.DBTX
	log *slog.Logger
	// redis is nil where entries are broadcast inside this process alone.
	redis *Redis

	mu     sync.Mutex
	topics map[Key]*topic
	// stale are the feeds whose heads are to be read anew.
	stale chan Key
}

// NewHub makes a hub over the pool that feeds are read from. redis may be nil.
func NewHub(db sqlc.DBTX, redis *Redis, log *slog.Logger) *Hub {
	return &Hub{db: db, redis: redis, log: log, topics: map[Key]*topic{}, stale: make(chan Key, maxHeads)}
}

// Publish tells all instances of entries whose transaction has committed. It
// never waits and never fails: what gets lost is found by its gap, or by the
// next check of the heads.
func (h *Hub) Publish(entries []Entry) {
	for _, entry := range entries {
		h.deliver(entry)
		if h.redis != nil {
			h.redis.publish(entry)
		}
	}
}

func (h *Hub) deliver(entry Entry) {
	if topic := h.topic(entry.Key); topic != nil {
		topic.advance(entry)
	}
}

func (h *Hub) topic(key Key) *topic {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.topics[key]
}

// Subscribe begins a subscription to a feed: after the given number, or, where
// that is nil, with what comes from now on. A number that is pruned or ahead of
// the head gives a live subscription whose Resumed is false. limit is the most
// readers that the feed may have here, 0 for any: past it, RATE_LIMITED.
func (h *Hub) Subscribe(ctx context.Context, key Key, after *int64, limit int) (*Subscription, error) {
	topic, err := h.join(key, limit)
	if err != nil {
		return nil, err
	}
	// Joined first, then read: an entry that is committed after this read is
	// broadcast to a topic that is there.
	bounds, err := ReadBounds(ctx, h.db, key)
	if err != nil {
		h.leave(topic)
		return nil, err
	}
	topic.learn(bounds.Head)
	s := &Subscription{hub: h, topic: topic, cursor: bounds.Head}
	if after != nil && bounds.Check(*after) == nil {
		s.cursor, s.Resumed = *after, true
	}
	return s, nil
}

func (h *Hub) join(key Key, limit int) (*topic, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t, ok := h.topics[key]
	if !ok {
		t = newTopic(key)
		h.topics[key] = t
		if h.redis != nil {
			h.redis.join(key)
		}
	}
	if limit > 0 && t.readers >= limit {
		err := booking.Errorf(booking.ReasonRateLimited, "at most %d sockets and streams a user on one instance", limit)
		err.RetryAfter = time.Second
		return nil, err
	}
	t.readers++
	return t, nil
}

func (h *Hub) leave(t *topic) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t.readers--
	if t.readers > 0 {
		return
	}
	delete(h.topics, t.key)
	if h.redis != nil {
		h.redis.leave(t.key)
	}
}

func (h *Hub) healed(key Key, page []Entry) {
	h.log.Debug("read from PostgreSQL what the broadcast had not brought",
		"feed", key.Source(), "from", page[0].Sequence, "entries", len(page))
}

// List reads a page of a feed after a number, or from the oldest entry kept
// where that is nil, and the feed's head. It fails with SEQUENCE_OUT_OF_RANGE.
func (h *Hub) List(ctx context.Context, key Key, after *int64, limit int) ([]Entry, int64, error) {
	bounds, err := ReadBounds(ctx, h.db, key)
	if err != nil {
		return nil, 0, err
	}
	from := bounds.PrunedThrough
	if after != nil {
		from = *after
		if err := bounds.Check(from); err != nil {
			return nil, 0, err
		}
	}
	entries, err := Read(ctx, h.db, key, from, limit)
	if err != nil {
		return nil, 0, err
	}
	if len(entries) > 0 {
		bounds.Head = max(bounds.Head, entries[len(entries)-1].Sequence)
	}
	return entries, bounds.Head, nil
}
