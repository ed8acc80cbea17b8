package feed

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
)

const (
	// checkInterval is how often every local feed's head is compared with
	// PostgreSQL's: how long a lost broadcast can go unnoticed. Callers are
	// promised 15 seconds, and reading takes its time.
	checkInterval = 14 * time.Second
	// checkSlots is how many parts of the interval the feeds are dealt into:
	// reading is spread, and each feed's turns are an interval apart.
	checkSlots = 14
	// maxHeads is how many heads are read in one query; ten thousands in one
	// would take a tenth of a second.
	maxHeads = 1000
	// gatherTime is how long suspected feeds are gathered before one query reads
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
		loops.Go(func() { h.redis.run(ctx, h.deliver, h.stale.add) })
	}
	loops.Wait()
}

// checkAll reads every local feed's head once an interval.
func (h *Hub) checkAll(ctx context.Context) {
	turn := time.NewTicker(h.interval / checkSlots)
	defer turn.Stop()
	for slot := 0; ; slot = (slot + 1) % checkSlots {
		select {
		case <-turn.C:
		case <-ctx.Done():
			return
		}
		for topics := range slices.Chunk(h.inSlot(slot), maxHeads) {
			for _, topic := range topics {
				topic.rest()
			}
			h.check(ctx, topics, headsOf(topics))
		}
	}
}

func (h *Hub) inSlot(slot int) []*topic {
	h.mu.Lock()
	defer h.mu.Unlock()
	var topics []*topic
	for _, topic := range h.topics {
		if topic.slot == slot {
			topics = append(topics, topic)
		}
	}
	return topics
}

// checkStale reads the heads of feeds that are suspected of a gap, many at once.
func (h *Hub) checkStale(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.stale.added:
		}
		wait(ctx, gatherTime)
		for topics := range slices.Chunk(h.those(h.stale.takeAll()), maxHeads) {
			for !h.check(ctx, topics, headsOf(topics)) {
				if !wait(ctx, maxPause) {
					return
				}
			}
		}
	}
}

func headsOf(topics []*topic) []int64 {
	heads := make([]int64, len(topics))
	for i, topic := range topics {
		heads[i] = topic.after(0).head
	}
	return heads
}

func (h *Hub) those(keys map[Key]struct{}) []*topic {
	h.mu.Lock()
	defer h.mu.Unlock()
	var topics []*topic
	for key := range keys {
		if topic, ok := h.topics[key]; ok {
			topics = append(topics, topic)
		}
	}
	return topics
}

// check compares feeds' heads with PostgreSQL's; known are ours.
func (h *Hub) check(ctx context.Context, topics []*topic, known []int64) bool {
	reading, cancel := context.WithTimeout(ctx, readDeadline)
	defer cancel()
	heads, err := readHeads(reading, h.db, topics)
	if err != nil {
		if ctx.Err() == nil {
			h.reading.failed(err)
		}
		return false
	}
	h.reading.worked()
	for i, topic := range topics {
		topic.learn(known[i], heads[topic.key])
	}
	return true
}

func readHeads(ctx context.Context, db sqlc.DBTX, topics []*topic) (map[Key]int64, error) {
	wanted := sqlc.FeedHeadsParams{}
	for _, topic := range topics {
		wanted.Roles = append(wanted.Roles, string(topic.key.Role))
		wanted.UserIds = append(wanted.UserIds, topic.key.User)
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
