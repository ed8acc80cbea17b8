package feed

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/pause"
)

const (
	// checkInterval is how often every local feed's head is compared with
	// PostgreSQL's: how long a lost broadcast can go unnoticed. Callers are
	// promised 15 seconds, and reading takes its time.
	checkInterval = 14 * time.Second
	// checkParts is how many parts of the interval the feeds are dealt into:
	// reading is spread, and each feed's checks are an interval apart.
	checkParts = 14
	// maxHeads is how many heads are read in one query; ten thousands in one
	// would take a tenth of a second.
	maxHeads = 1000
)

// Run carries broadcasts and finds what they miss, until the context ends and
// all of that has stopped. PostgreSQL and Redis may come later than it, and go.
func (h *Hub) Run(ctx context.Context) {
	var loops sync.WaitGroup
	loops.Go(func() { h.checkRegularly(ctx) })
	loops.Go(func() { h.sequence(ctx) })
	if h.redis != nil {
		loops.Go(func() { h.checkWhenSuspected(ctx) })
		loops.Go(func() { h.runRedis(ctx) })
	}
	loops.Wait()
}

// checkRegularly reads every local feed's head once an interval.
func (h *Hub) checkRegularly(ctx context.Context) {
	ticker := time.NewTicker(h.interval / checkParts)
	defer ticker.Stop()
	for part := 0; ; part = (part + 1) % checkParts {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		feeds := h.localFeeds(func(f *localFeed) bool { return f.part == part })
		for _, f := range feeds {
			f.trim()
		}
		for some := range slices.Chunk(feeds, maxHeads) {
			h.check(ctx, some)
		}
	}
}

// suspectAll has all heads checked soon. It never waits.
func (h *Hub) suspectAll() { signal(h.suspected) }

// checkWhenSuspected reads all local feeds' heads when broadcasts may have been
// lost unseen, and again until that has worked.
func (h *Hub) checkWhenSuspected(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.suspected:
		}
		all := h.localFeeds(func(*localFeed) bool { return true })
		for some := range slices.Chunk(all, maxHeads) {
			for !h.check(ctx, some) {
				if !pause.For(ctx, maxPause) {
					return
				}
			}
		}
	}
}

// check compares feeds' heads with PostgreSQL's, and tells whether it could.
func (h *Hub) check(ctx context.Context, feeds []*localFeed) bool {
	known := make([]int64, len(feeds)) // before the reading: see setHead
	for i, f := range feeds {
		known[i] = f.knownHead().Sequence
	}
	reading, cancel := context.WithTimeout(ctx, readDeadline)
	defer cancel()
	heads, err := readHeads(reading, h.db, feeds)
	if err != nil {
		if ctx.Err() == nil {
			h.warnUnread(err)
		}
		return false
	}
	for i, f := range feeds {
		f.setHead(known[i], heads[f.key])
	}
	return true
}

func readHeads(ctx context.Context, db sqlc.DBTX, feeds []*localFeed) (map[Key]Point, error) {
	wanted := sqlc.FeedHeadsParams{}
	for _, f := range feeds {
		wanted.Roles = append(wanted.Roles, string(f.key.Role))
		wanted.UserIds = append(wanted.UserIds, f.key.User)
	}
	rows, err := new(sqlc.Queries).FeedHeads(ctx, db, wanted)
	if err != nil {
		return nil, fmt.Errorf("read heads of feeds: %w", err)
	}
	heads := make(map[Key]Point, len(rows))
	for _, row := range rows {
		heads[Key{Role: booking.Role(row.Role), User: row.UserID}] = Point{Sequence: row.Head, ID: row.NewestID}
	}
	return heads, nil
}
