package feed

import (
	"context"
	"fmt"
	"time"

	"bookings/gen/sqlc"
)

// Dropped is how many broadcasts were not handed to Redis, because it did not
// keep up or could not be reached.
func (h *Hub) Dropped() int64 {
	if h.redis == nil {
		return 0
	}
	return h.redis.dropped.Load()
}

// PagesRead is how many pages readers have read from PostgreSQL: to replay, or
// because a broadcast was lost or they were too slow for it.
func (h *Hub) PagesRead() int64 { return h.pages.Load() }

// Delivered is how many entries readers here were given.
func (h *Hub) Delivered() int64 { return h.delivered.Load() }

// Readers is how many readers there are here.
func (h *Hub) Readers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	readers := 0
	for _, f := range h.feeds {
		readers += len(f.readers)
	}
	return readers
}

// Lag is what waits for the feed of everything.
type Lag struct {
	// Events is how many wait; it ends at 10,000.
	Events int64
	// Age is how long ago the oldest of them happened; 0 where there are none.
	Age time.Duration
}

// Lag reads what waits for the feed of everything, in the whole installation.
func (h *Hub) Lag(ctx context.Context) (Lag, error) {
	row, err := new(sqlc.Queries).FeedLag(ctx, h.db)
	if err != nil {
		return Lag{}, fmt.Errorf("read what waits for the feed of everything: %w", err)
	}
	return Lag{Events: row.Events, Age: time.Duration(row.AgeSeconds * float64(time.Second))}, nil
}
