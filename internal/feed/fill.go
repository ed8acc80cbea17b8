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
	// overtakeTime is how long an entry is waited for after a later one has
	// come, before PostgreSQL is asked for it.
	overtakeTime = 20 * time.Millisecond
	// readDeadline bounds one reading, so that a database that hangs is noticed.
	readDeadline = 8 * time.Second
	// While PostgreSQL cannot be read a reader tries again, after a pause that
	// grows from the one to the other.
	minPause = 50 * time.Millisecond
	maxPause = 2 * time.Second
)

// fill reads a page of what the ring does not hold, and waits while PostgreSQL
// is away. From here on the reader catches up. head is what the topic's was.
func (s *Subscription) fill(ctx context.Context, head int64) error {
	if s.caught {
		s.hub.healed.Add(1)
		s.hub.log.DebugContext(ctx, "read from PostgreSQL what the broadcast had not brought", "feed", s.topic.key.Source(), "after", s.cursor)
	}
	s.live = false
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		err := s.read(ctx, head)
		switch {
		case err == nil:
			s.hub.reading.worked()
			return nil
		case booking.IsReason(err, booking.ReasonSequenceOutOfRange), errors.Is(err, errTorn):
			return err
		case s.ended(ctx) != nil:
			return s.ended(ctx)
		}
		s.hub.reading.failed(err)
		// Spread, so that all readers do not come at once.
		if err := s.wait(ctx, nil, pause/2+rand.N(pause)); err != nil {
			return err
		}
	}
}

func (s *Subscription) read(ctx context.Context, head int64) error {
	ctx, cancel := context.WithTimeout(ctx, readDeadline)
	defer cancel()
	page, err := readWhole(ctx, s.hub.db, s.topic.key, s.cursor, pageSize)
	if err != nil {
		return err
	}
	if len(page) == 0 {
		return s.askHead(ctx, head)
	}
	for _, entry := range page {
		s.topic.hear(entry) // the other readers need not ask
	}
	s.page = page
	return nil
}

// askHead is for a head that PostgreSQL does not know, or not any more.
func (s *Subscription) askHead(ctx context.Context, head int64) error {
	bounds, err := ReadBounds(ctx, s.hub.db, s.topic.key)
	if err == nil {
		s.topic.learn(head, bounds.Head)
	}
	return err
}
