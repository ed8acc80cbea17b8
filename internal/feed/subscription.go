package feed

import (
	"context"
	"fmt"

	"bookings/internal/booking"
)

// pageSize is how many entries are read from PostgreSQL at a time.
const pageSize = 200

// Subscription delivers a feed's entries in order, each once: number n+1 only.
// It is used by one goroutine and ends with Close.
type Subscription struct {
	hub    *Hub
	topic  *topic
	cursor int64
	page   []Entry
	// live tells that the reader has caught up since the head last jumped; only
	// a live reader can be too slow.
	live  bool
	jumps int

	// Resumed tells that the subscription goes on after the number asked for.
	Resumed bool
}

// Key names the feed.
func (s *Subscription) Key() Key { return s.topic.key }

// Head is the number of the feed's newest entry that this instance knows of.
func (s *Subscription) Head() int64 { return s.topic.after(0).head }

// Cursor is the number of the last entry delivered, or the one that the
// subscription began after.
func (s *Subscription) Cursor() int64 { return s.cursor }

// Next waits for the next entry. It fails with the context's error, with
// RATE_LIMITED when a live reader has fallen more than a few hundred entries
// behind (it can resume after Cursor), or when PostgreSQL cannot be read.
func (s *Subscription) Next(ctx context.Context) (Entry, error) {
	for {
		if len(s.page) > 0 {
			entry := s.page[0]
			s.page = s.page[1:]
			s.cursor = entry.Sequence
			return entry, nil
		}
		seen := s.topic.after(s.cursor)
		s.follow(seen)
		switch {
		case seen.next != nil:
			s.page = []Entry{*seen.next}
		case seen.head > s.cursor && s.live:
			return Entry{}, booking.Errorf(booking.ReasonRateLimited, "the feed is read too slowly: resume after %d", s.cursor)
		case seen.head > s.cursor:
			if err := s.fill(ctx); err != nil {
				return Entry{}, err
			}
		default:
			select {
			case <-seen.changed:
			case <-ctx.Done():
				return Entry{}, context.Cause(ctx)
			}
		}
	}
}

// follow notes whether the reader is live: it is from when it reaches the head
// until the head jumps.
func (s *Subscription) follow(seen view) {
	if seen.jumps != s.jumps {
		s.jumps, s.live = seen.jumps, false
	}
	if s.cursor >= seen.head {
		s.live = true
	}
}

// fill reads what the ring does not hold.
func (s *Subscription) fill(ctx context.Context) error {
	page, err := Read(ctx, s.hub.db, s.topic.key, s.cursor, pageSize)
	if err != nil {
		return err
	}
	if len(page) == 0 || page[0].Sequence != s.cursor+1 {
		bounds, err := ReadBounds(ctx, s.hub.db, s.topic.key)
		if err != nil {
			return err
		}
		if err := bounds.Check(s.cursor); err != nil {
			return err
		}
		return fmt.Errorf("feed %s: entry %d is missing", s.topic.key.Source(), s.cursor+1)
	}
	s.page = page
	s.hub.healed(s.topic.key, page)
	return nil
}

// Close gives the subscription back to its hub.
func (s *Subscription) Close() { s.hub.leave(s.topic) }
