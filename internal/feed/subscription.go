package feed

import (
	"context"
	"time"

	"bookings/internal/booking"
)

// Subscription delivers a feed's entries in order, each once: number n+1 only.
// It is used by one goroutine and ends with Close.
type Subscription struct {
	hub   *Hub
	topic *topic
	// person tells that this reader counts towards the most that a user may have.
	person bool
	// over is closed when the hub ends the subscription.
	over   chan struct{}
	closed bool

	cursor int64
	page   []Entry
	// live tells that the reader has been at the head since PostgreSQL was last
	// asked or the ring was last begun anew; only a live reader can be overrun.
	live  bool
	jumps int
	// owed is the head that had overrun this reader; 0 where none has. used is
	// how much of its own time, outside Next, it has taken since, and returned
	// when it was last given an entry.
	owed     int64
	used     time.Duration
	returned time.Time
	// caught tells that the reader has been at the head at all: from then on,
	// what it has to ask PostgreSQL for is a gap.
	caught bool
	// overdue is when the next entry, overtaken by later ones, counts as lost;
	// zero where it is not being waited for.
	overdue time.Time

	// Head was the number of the feed's newest entry when the subscription began.
	Head int64
	// Resumed tells that the subscription goes on after the number asked for.
	Resumed bool
	// Refusal is why it does not although a number was asked for:
	// SEQUENCE_OUT_OF_RANGE. It then goes on after Head.
	Refusal error
}

// Key names the feed.
func (s *Subscription) Key() Key { return s.topic.key }

// Newest is the number of the feed's newest entry that this instance knows of.
// Any goroutine may ask.
func (s *Subscription) Newest() int64 { return s.topic.after(0).head }

// Cursor is the number of the last entry delivered, or the one that the
// subscription began after.
func (s *Subscription) Cursor() int64 { return s.cursor }

// Next waits for the next entry, also while PostgreSQL is away. It fails with
// the cause of the context's end; with SHUTTING_DOWN when the hub ends its
// subscriptions; with RATE_LIMITED when the reader is too slow (it can resume
// after Cursor); with SEQUENCE_OUT_OF_RANGE when what it has not read yet was
// pruned.
func (s *Subscription) Next(ctx context.Context) (Entry, error) {
	if err := s.checkPace(); err != nil {
		return Entry{}, err
	}
	for {
		if err := s.ended(ctx); err != nil {
			return Entry{}, err
		}
		if len(s.page) > 0 {
			return s.deliver(s.turnPage()), nil
		}
		seen := s.look()
		if seen.next != nil {
			return s.deliver(*seen.next), nil
		}
		if err := s.await(ctx, seen); err != nil {
			return Entry{}, err
		}
	}
}

func (s *Subscription) ended(ctx context.Context) error {
	select {
	case <-s.over:
		return errEnding
	case <-ctx.Done():
		return context.Cause(ctx)
	default:
		return nil
	}
}

func (s *Subscription) deliver(entry Entry) Entry {
	s.cursor, s.overdue = entry.Sequence, time.Time{}
	s.look()
	if s.cursor >= s.owed {
		s.owed = 0
	} else {
		s.returned = time.Now()
	}
	return entry
}

// checkPace fails where a reader that was overrun takes too long to catch up.
// Its own time alone counts: not the database's, nor a pause of all writing.
func (s *Subscription) checkPace() error {
	if s.owed == 0 || s.returned.IsZero() {
		return nil
	}
	if s.used += time.Since(s.returned); s.used <= s.hub.SlowAfter {
		return nil
	}
	return booking.Errorf(booking.ReasonRateLimited, "the feed is read too slowly: resume after %d", s.cursor)
}

// turnPage takes the first entry off the page, which does not hold on to it.
func (s *Subscription) turnPage() Entry {
	entry := s.page[0]
	s.page[0] = Entry{}
	s.page = s.page[1:]
	return entry
}

// look notes whether the reader is live: at the cursor that it has now, not
// when it comes again, since it may stall in between.
func (s *Subscription) look() view {
	seen := s.topic.after(s.cursor)
	if seen.jumps != s.jumps {
		s.jumps, s.live = seen.jumps, false
	}
	if s.cursor >= seen.head {
		s.live, s.caught = true, true
	}
	return seen
}

// await waits for the next entry, or reads it.
func (s *Subscription) await(ctx context.Context, seen view) error {
	switch {
	case s.cursor > seen.head:
		// The database was restored from an older copy, and what this reader has
		// seen is not in it.
		return Bounds{Head: seen.head}.Check(s.cursor)
	case s.cursor == seen.head:
		return s.wait(ctx, seen.changed, 0)
	case s.live && seen.behind:
		if s.owed == 0 {
			s.owed, s.used, s.returned = seen.head, 0, time.Time{}
		}
	case s.live && s.patience() > 0:
		return s.wait(ctx, seen.changed, s.patience())
	}
	return s.fill(ctx, seen.head)
}

// patience is how long to wait still for an entry that others have overtaken.
func (s *Subscription) patience() time.Duration {
	if s.overdue.IsZero() {
		s.overdue = time.Now().Add(overtakeTime)
	}
	return time.Until(s.overdue)
}

// wait waits for a change of the topic, at most for a time, where that is not 0.
func (s *Subscription) wait(ctx context.Context, changed <-chan struct{}, most time.Duration) error {
	var enough <-chan time.Time
	if most > 0 {
		timer := time.NewTimer(most)
		defer timer.Stop()
		enough = timer.C
	}
	select {
	case <-changed:
	case <-enough:
	case <-s.over:
	case <-ctx.Done():
	}
	return s.ended(ctx)
}

// Close gives the subscription back to its hub.
func (s *Subscription) Close() {
	if !s.closed {
		s.closed = true
		s.hub.leave(s)
	}
}
