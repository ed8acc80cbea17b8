package feed

import (
	"context"
	"slices"
	"time"

	"bookings/internal/booking"
)

// Subscribe begins a subscription to a feed: after the given point, or, where
// that is nil, with what comes from now on. A point that is pruned, ahead of the
// head or not in this feed gives a live subscription with a Refusal. limit is the
// most readers that the feed's user may have here, in both roles, 0 for a reader
// that is not counted: past it, RATE_LIMITED. It fails with SHUTTING_DOWN after
// EndAll.
func (h *Hub) Subscribe(ctx context.Context, key Key, after *Point, limit int) (*Subscription, error) {
	s, err := h.join(key, limit)
	if err != nil {
		return nil, err
	}
	// Joined first, then read. An entry that is committed before this reading is
	// in it; one that is committed after is broadcast to a local feed that is there
	// already. The other way round, one in between would be lost until the next.
	ctx, cancel := context.WithTimeout(ctx, readDeadline)
	defer cancel()
	if err := s.begin(ctx, after); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// begin sets the cursor, and takes what follows on it.
func (s *Subscription) begin(ctx context.Context, after *Point) error {
	known := s.feed.knownHead().Sequence
	a := s.hub.arrive(s.feed.key, after) //nolint:contextcheck // it is read for others too: see answerArrivals
	if err := s.wait(ctx, a.done, nil); err != nil {
		return err
	}
	if a.err != nil {
		return a.err
	}
	s.feed.setHead(known, a.bounds.Head)
	s.Head, s.cursor = a.bounds.Head, a.bounds.Head
	if after != nil {
		s.Refusal = a.bounds.Check(*after)
		if s.Resumed = s.Refusal == nil; s.Resumed {
			s.cursor = a.bounds.Asked
		}
	}
	if s.Resumed && len(a.page) > 0 && s.cursor.leadsTo(a.page[0]) {
		s.take(ctx, upToHole(a.page))
	}
	return nil
}

var errEnding = booking.Errorf(booking.ReasonShuttingDown, "this instance is going away: connect again")

func (h *Hub) join(key Key, limit int) (*Subscription, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f, known := h.feeds[key]
	switch {
	case h.ending:
		return nil, errEnding
	case limit > 0 && h.places[key.User] >= limit:
		err := booking.Errorf(booking.ReasonRateLimited, "at most %d sockets and streams a user on one instance", limit)
		err.RetryAfter = time.Second
		return nil, err
	case !known:
		f = newLocalFeed(key, h.joined%checkParts)
		h.joined++
		h.feeds[key] = f
	}
	s := &Subscription{hub: h, feed: f, counted: limit > 0, done: make(chan struct{})}
	f.readers = append(f.readers, s)
	if s.counted {
		h.places[key.User]++
	}
	return s, nil
}

func (h *Hub) leave(s *Subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.feed.readers = slices.DeleteFunc(s.feed.readers, func(other *Subscription) bool { return other == s })
	user := s.feed.key.User
	if s.counted {
		h.places[user]--
	}
	if h.places[user] == 0 {
		delete(h.places, user)
	}
	if len(s.feed.readers) == 0 {
		delete(h.feeds, s.feed.key)
	}
}
