package feed

import (
	"context"
	"fmt"
	"sync"
	"time"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
)

const (
	// checkInterval is how often every local feed's head is compared with
	// PostgreSQL's: how long a lost broadcast can go unnoticed.
	checkInterval = 15 * time.Second
	// maxHeads is how many heads are read in one query; ten thousands in one
	// would take a tenth of a second.
	maxHeads = 1000
	// gatherTime is how long stale feeds are gathered before one query reads
	// the heads of all of them.
	gatherTime = 20 * time.Millisecond
)

// Run carries broadcasts and heals what they miss, until the context ends and
// all of that has stopped.
func (h *Hub) Run(ctx context.Context) {
	var loops sync.WaitGroup
	loops.Go(func() { h.checkAll(ctx) })
	loops.Go(func() { h.checkStale(ctx) })
	if h.redis != nil {
		loops.Go(func() { h.redis.run(ctx, h.deliver, h.suspect) })
	}
	loops.Wait()
}

// suspect asks for a feed's head to be read: its broadcast may have been cut.
func (h *Hub) suspect(key Key) {
	select {
	case h.stale <- key:
	default: // so many at once: the regular check finds it
	}
}

// checkStale reads the heads of feeds that are suspected of a gap, many at once.
func (h *Hub) checkStale(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case key := <-h.stale:
			h.check(ctx, h.gather(ctx, key))
		}
	}
}

func (h *Hub) gather(ctx context.Context, first Key) []Key {
	keys := []Key{first}
	enough := time.NewTimer(gatherTime)
	defer enough.Stop()
	for len(keys) < maxHeads {
		select {
		case key := <-h.stale:
			keys = append(keys, key)
		case <-enough.C:
			return keys
		case <-ctx.Done():
			return keys
		}
	}
	return keys
}

// checkAll reads every local feed's head once an interval, the batches spread
// over it.
func (h *Hub) checkAll(ctx context.Context) {
	for {
		batches := batched(h.local(), maxHeads)
		for _, keys := range batches {
			if !wait(ctx, checkInterval/time.Duration(len(batches))) {
				return
			}
			h.check(ctx, keys)
		}
		if len(batches) == 0 && !wait(ctx, time.Second) {
			return
		}
	}
}

func (h *Hub) check(ctx context.Context, keys []Key) {
	heads, err := readHeads(ctx, h.db, keys)
	if err != nil {
		h.log.Warn("cannot check the heads of feeds", "error", err)
		return
	}
	for key, head := range heads {
		if topic := h.topic(key); topic != nil && topic.learn(head) {
			h.log.Info("a feed had moved without a broadcast", "feed", key.Source(), "head", head)
		}
	}
}

func (h *Hub) local() []Key {
	h.mu.Lock()
	defer h.mu.Unlock()
	keys := make([]Key, 0, len(h.topics))
	for key := range h.topics {
		keys = append(keys, key)
	}
	return keys
}

func readHeads(ctx context.Context, db sqlc.DBTX, keys []Key) (map[Key]int64, error) {
	wanted := sqlc.FeedHeadsParams{}
	for _, key := range keys {
		wanted.Roles = append(wanted.Roles, string(key.Role))
		wanted.UserIds = append(wanted.UserIds, key.User)
	}
	rows, err := new(sqlc.Queries).FeedHeads(ctx, db, wanted)
	if err != nil {
		return nil, fmt.Errorf("read heads of feeds: %w", err)
	}
	heads := make(map[Key]int64, len(rows))
	for _, row := range rows {
		heads[Key{Role: booking.Role(row.Role), User: row.UserID}] = row.Head
	}
	return heads, nil
}

func batched(keys []Key, size int) [][]Key {
	var batches [][]Key
	for len(keys) > size {
		batches, keys = append(batches, keys[:size]), keys[size:]
	}
	if len(keys) > 0 {
		batches = append(batches, keys)
	}
	return batches
}

func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
