package feed

import (
	"context"
	"time"
)

const (
	// overtakeTime is how long entries are waited for after a later one has come,
	// before they are read from PostgreSQL: broadcasts overtake each other on
	// their way from different instances, and even inside one.
	overtakeTime = 20 * time.Millisecond
	// maxOvertaken is how many entries are waited for so. Where more are missing
	// they are lost, or the reader is far behind: waiting would not help.
	maxOvertaken = 4
)

// Subscription delivers a feed's entries in order, each once: number n+1 only,
// and only if it follows on what was delivered last.
// It is used by one goroutine at a time and ends with Close.
type Subscription struct {
	hub  *Hub
	feed *localFeed
	// counted tells that this reader takes one of its user's places.
	counted bool
	// done is closed when the hub ends the subscription.
	done   chan struct{}
	closed bool
	// goOn is called at the end of a rest; guarded by the local feed.
	goOn func()

	// cursor is the last entry delivered, or the one that the subscription began
	// after.
	cursor Point
	// page are entries read from PostgreSQL and not yet delivered.
	page []Entry
	// waitUntil is until when overtaken entries are waited for; zero where none is.
	// It is not put off by what else comes meanwhile: in a busy feed something
	// always does.
	waitUntil time.Time

	// Head was the feed's newest entry when the subscription began.
	Head Point
	// Resumed tells that the subscription goes on after the point asked for.
	Resumed bool
	// Refusal is why it does not although a point was asked for:
	// SEQUENCE_OUT_OF_RANGE. It then goes on after Head.
	Refusal error
}

// Key names the feed.
func (s *Subscription) Key() Key { return s.feed.key }

// Newest is the feed's newest entry that this instance knows of. Any goroutine
// may ask.
func (s *Subscription) Newest() Point { return s.feed.knownHead() }

// Cursor is the last entry delivered, or the one that the subscription began
// after.
func (s *Subscription) Cursor() Point { return s.cursor }

// Next waits for the next entry, also while PostgreSQL is away and however far
// the reader is behind. It fails with the cause of the context's end; with
// SHUTTING_DOWN when the hub ends its subscriptions; with SEQUENCE_OUT_OF_RANGE
// when what it has not read yet was pruned; with ErrOtherHistory, of the same
// reason, when the feed in PostgreSQL does not go on from the cursor; with an
// internal error when an entry is missing in PostgreSQL.
func (s *Subscription) Next(ctx context.Context) (Entry, error) {
	for {
		if err := s.ended(ctx); err != nil {
			return Entry{}, err
		}
		if len(s.page) > 0 {
			return s.moveTo(s.takeFromPage()), nil
		}
		seen, changed := s.feed.watch(s.cursor)
		if seen.next != nil {
			return s.moveTo(*seen.next), nil
		}
		if err := s.advance(ctx, seen, changed); err != nil {
			return Entry{}, err
		}
	}
}

// advance does what brings the next entry nearer: it waits for it, or reads a
// page: also where the cursor is beyond the head or beside it, since only
// PostgreSQL can tell whether the reader is on another history.
func (s *Subscription) advance(ctx context.Context, seen view, changed <-chan struct{}) error {
	switch {
	case s.cursor == seen.head:
		return s.wait(ctx, changed, nil)
	case seen.missing > 0 && seen.missing <= maxOvertaken:
		if left := s.patience(); left > 0 {
			return s.wait(ctx, changed, time.After(left))
		}
	}
	return s.readPage(ctx)
}

// patience is how long to wait still for entries that others have overtaken.
func (s *Subscription) patience() time.Duration {
	if s.waitUntil.IsZero() {
		s.waitUntil = time.Now().Add(overtakeTime)
	}
	return time.Until(s.waitUntil)
}

// moveTo moves the cursor to an entry, which is the next by all that was checked
// before.
func (s *Subscription) moveTo(entry Entry) Entry {
	s.cursor, s.waitUntil = entry.point(), time.Time{}
	s.hub.delivered.Add(1)
	return entry
}

// takeFromPage takes the first entry off the page, which keeps no reference to it.
func (s *Subscription) takeFromPage() Entry {
	entry := s.page[0]
	s.page[0] = Entry{}
	s.page = s.page[1:]
	return entry
}

func (s *Subscription) ended(ctx context.Context) error {
	select {
	case <-s.done:
		return errEnding
	case <-ctx.Done():
		return context.Cause(ctx)
	default:
		return nil
	}
}

// wait waits until changed is closed or it has been enough; nil is never.
func (s *Subscription) wait(ctx context.Context, changed <-chan struct{}, enough <-chan time.Time) error {
	select {
	case <-changed:
	case <-enough:
	case <-s.done:
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
