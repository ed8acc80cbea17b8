package feed

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"bookings/internal/booking"
)

const (
	// pageSize is how many entries are read from PostgreSQL at a time, and the
	// most that a reader holds.
	pageSize = 64
	// maxReading is how many readers of one instance read from PostgreSQL at a
	// time. When an instance is restarted thousands replay at once, and without a
	// bound they would take the whole pool of connections: a plain query then
	// waited more than a second.
	maxReading = 8
	// readDeadline bounds one reading, so that a database that hangs is noticed.
	readDeadline = 8 * time.Second
	// While PostgreSQL cannot be read a reader tries again, after a pause that
	// grows from the one to the other.
	minPause = 50 * time.Millisecond
	maxPause = 2 * time.Second
)

// readPage reads what follows the cursor and the ring does not have, and waits
// while PostgreSQL is away.
func (s *Subscription) readPage(ctx context.Context) error {
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		err := s.tryPage(ctx)
		switch {
		case err == nil:
			return nil
		case s.ended(ctx) != nil:
			return s.ended(ctx)
		case booking.IsReason(err, booking.ReasonSequenceOutOfRange), errors.Is(err, errMissing):
			return err // trying again would not help
		}
		s.hub.warnUnread(err)
		// Spread, so that all readers do not come at once.
		if err := s.wait(ctx, nil, time.After(pause/2+rand.N(pause))); err != nil {
			return err
		}
	}
}

// tryPage waits until it may read, and reads unless another reader of the feed
// has meanwhile read for all of them.
func (s *Subscription) tryPage(ctx context.Context) error {
	if err := s.acquireRead(ctx); err != nil {
		return err
	}
	defer s.releaseRead()
	seen := s.feed.after(s.cursor)
	if seen.next != nil || s.cursor == seen.head {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, readDeadline)
	defer cancel()
	page, err := readNext(ctx, s.hub.db, s.feed.key, s.cursor, pageSize)
	if err != nil {
		return err
	}
	if len(page) == 0 {
		// PostgreSQL's feed ends here, and we had heard of another head.
		s.feed.setHead(seen.head.Sequence, s.cursor)
		return nil
	}
	s.take(ctx, page)
	return nil
}

// take has a page that was read delivered next. Other readers of the feed need not
// read it.
func (s *Subscription) take(ctx context.Context, page []Entry) {
	s.hub.pages.Add(1)
	s.hub.log.DebugContext(ctx, "read a page of a feed from PostgreSQL", "feed", s.feed.key.Source(), "after", s.cursor.Sequence)
	s.feed.correct(page)
	s.feed.add(page...)
	s.page = page
}

// acquireRead waits until fewer than maxReading others read.
func (s *Subscription) acquireRead(ctx context.Context) error {
	select {
	case s.hub.reading <- struct{}{}:
		return nil
	case <-s.done:
	case <-ctx.Done():
	}
	return s.ended(ctx)
}

func (s *Subscription) releaseRead() { <-s.hub.reading }
