package feed

import (
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"bookings/gen/sqlc"
)

// MaxReaders is how many sockets and streams a user may hold on one instance,
// those of both roles together.
const MaxReaders = 10

// warnInterval is how often it is logged that feeds cannot be read: while
// PostgreSQL is away, every reader meets it.
const warnInterval = time.Minute

// Hub is this instance's end of the broadcast: it takes events after their
// commit, carries them to the other instances, and wakes local readers.
type Hub struct {
	db  sqlc.DBTX
	log *slog.Logger
	// redis is nil where events are broadcast inside this process alone.
	redis *Redis
	// interval is how often every local feed's head is checked.
	interval time.Duration
	// suspected says that broadcasts may have been lost, and all heads are to be
	// checked.
	suspected chan struct{}
	// written and heard say that events have been committed here, and elsewhere.
	written, heard chan struct{}
	// reading has room for each reader that may read from PostgreSQL at a time.
	reading  chan struct{}
	arrivals arrivals
	// pages counts the pages read so.
	pages atomic.Int64
	// delivered counts the entries that readers were given.
	delivered atomic.Int64
	warnings  rate.Sometimes
	// unmoved bounds the warnings of events that cannot be moved.
	unmoved rate.Sometimes

	mu    sync.Mutex
	feeds map[Key]*localFeed
	// places are how many sockets and streams each user holds, in either role.
	places map[string]int
	// joined counts local feeds, to deal them into parts of the interval.
	joined int
	ending bool
}

// NewHub makes a hub over the pool that feeds are read from. redis may be nil.
func NewHub(db sqlc.DBTX, redis *Redis, log *slog.Logger) *Hub {
	return &Hub{
		db: db, redis: redis, log: log, interval: checkInterval,
		suspected: make(chan struct{}, 1),
		written:   make(chan struct{}, 1),
		heard:     make(chan struct{}, 1),
		reading:   make(chan struct{}, maxReading),
		warnings:  rate.Sometimes{Interval: warnInterval},
		unmoved:   rate.Sometimes{Interval: warnInterval},
		feeds:     map[Key]*localFeed{},
		places:    map[string]int{},
	}
}

// Publish tells all instances of an event whose transaction has committed:
// entries are its own, one for each feed, and none where nothing has happened.
// It never waits and never fails: what gets lost is found by its gap, or by the
// next check of the heads.
func (h *Hub) Publish(entries []Entry) {
	if len(entries) > 0 {
		h.tell(entries)
		signal(h.written)
	}
}

// tell gives an event's entries to the readers here and to the other instances.
func (h *Hub) tell(entries []Entry) {
	for _, entry := range entries {
		h.deliver(entry)
	}
	if h.redis == nil {
		return
	}
	message, err := encodeBroadcast(entries)
	if err != nil {
		h.log.Error("an event cannot be broadcast", "event", entries[0].ID, "error", err)
		return
	}
	h.redis.publish(message)
}

// receive takes a message of the Redis channel.
func (h *Hub) receive(message string) {
	if err := h.tryReceive(message); err != nil {
		h.log.Warn("a broadcast cannot be read", "error", err)
	}
}

// tryReceive takes an event that an instance has broadcast, perhaps this one.
// Most are of feeds without readers here, or known already: those are not parsed.
func (h *Hub) tryReceive(message string) error {
	places, body, err := splitBroadcast(message)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(places, func(p place) bool { return p.key != All }) {
		signal(h.heard)
	}
	places = slices.DeleteFunc(places, func(p place) bool { return h.feedFor(p.key, p.sequence) == nil })
	if len(places) == 0 {
		return nil
	}
	entry, err := parseEvent(body)
	if err != nil {
		return err
	}
	for _, p := range places {
		entry.Key, entry.Sequence, entry.PreviousID = p.key, p.sequence, p.previousID
		h.deliver(entry)
	}
	return nil
}

// deliver gives an entry to the local readers of its feed, where there are any.
// It is spelled here, once for all of them.
func (h *Hub) deliver(entry Entry) {
	local := h.feedFor(entry.Key, entry.Sequence)
	if local == nil {
		return
	}
	wire, err := entry.JSON()
	if err != nil {
		h.log.Error("an entry cannot be delivered", "feed", entry.Key.Source(), "event", entry.ID, "error", err)
		return
	}
	entry.wire = wire
	local.add(entry)
}

// feedFor is the local feed that an entry is news to; nil where there is none.
func (h *Hub) feedFor(key Key, sequence int64) *localFeed {
	if local := h.localFeed(key); local != nil && local.accepts(sequence) {
		return local
	}
	return nil
}

// signal says something that need not be said twice. It never waits.
func signal(to chan<- struct{}) {
	select {
	case to <- struct{}{}:
	default: // it has been said already
	}
}

func (h *Hub) warnUnread(err error) {
	h.warnings.Do(func() { h.log.Warn("feeds cannot be read from PostgreSQL: readers wait", "error", err) })
}

func (h *Hub) localFeed(key Key) *localFeed {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.feeds[key]
}

func (h *Hub) localFeeds(include func(*localFeed) bool) []*localFeed {
	h.mu.Lock()
	defer h.mu.Unlock()
	var feeds []*localFeed
	for _, f := range h.feeds {
		if include(f) {
			feeds = append(feeds, f)
		}
	}
	return feeds
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
	for _, f := range h.feeds {
		for _, s := range f.readers {
			time.AfterFunc(rand.N(spread+1), s.end)
		}
	}
}
