package bookings

import (
	"context"
	"fmt"
	"iter"
	"time"

	bookingsv1 "bookings/gen/bookings/v1"
)

// FeedOptions say which feed is read, and from where. The zero value is a user's own feed,
// or for an internal service that of everything, of what comes from now on.
type FeedOptions struct {
	// Role and UserID name the feed of a user, for an internal service.
	Role   bookingsv1.Role
	UserID string
	// Types leave out all other events, such as all but booking.cancelled.
	Types []string
	// Store keeps the place. nil: it is kept in memory alone.
	Store Store
	// After is where to begin while the store has no place; nil: now. The zero Place is
	// the beginning, of which a ResetError tells where it is pruned. To begin with the
	// oldest event that is kept, list a page, and give its through_sequence and through_id.
	After *Place
	// OnConnected is told each time that the line stands, with the number of the feed's
	// newest entry.
	OnConnected func(head int64)
	// OnCut is told each time that the line was lost, why, and when it is tried again.
	OnCut func(err error, wait time.Duration)
}

// Feed is a reader's place in a feed. It is read by one loop at a time.
type Feed struct {
	client  *Client
	options FeedOptions
	place   *Place // nil: not begun yet
	loaded  bool
	silence time.Duration // after which the line is taken for dead
}

// Feed is a feed to be read. It connects when its events are asked for.
func (c *Client) Feed(options FeedOptions) *Feed {
	return &Feed{client: c, options: options, place: options.After, silence: longestSilence}
}

// Place is how far the feed is: the last entry that was handled, or passed over as of
// another type. nil before it has begun.
func (f *Feed) Place() *Place { return f.place }

// Events are the feed's, in order, at least once and in one process no event twice. An
// event counts as handled, and its place is kept, when the loop asks for the next one. The
// last event of a loop that is left early comes again in the next; to stop after an
// event, cancel the context and go on.
//
// A lost line is come back to by itself, forever. An error beside a nil event is a
// *ResetError, after which the loop may go on; any other is the last: credentials or a
// request that the server refuses, or a Store that fails. It ends in silence with the
// context.
func (f *Feed) Events(ctx context.Context) iter.Seq2[*bookingsv1.Event, error] {
	return func(yield func(*bookingsv1.Event, error) bool) {
		if err := f.load(ctx); err != nil {
			yield(nil, err)
			return
		}
		r := reader{Feed: f, yield: yield}
		r.run(ctx)
	}
}

func (f *Feed) load(ctx context.Context) error {
	if f.options.Store == nil || f.loaded {
		return nil
	}
	kept, err := f.options.Store.Load(ctx)
	if err != nil {
		return fmt.Errorf("load the feed's place: %w", err)
	}
	if kept != nil {
		f.place = kept
	}
	f.loaded = true
	return nil
}

// keep moves the place on. What was handled is kept also when the context ends meanwhile.
func (f *Feed) keep(ctx context.Context, place Place) error {
	f.place = &place
	if f.options.Store == nil {
		return nil
	}
	if err := f.options.Store.Save(context.WithoutCancel(ctx), place); err != nil {
		return fmt.Errorf("save the feed's place: %w", err)
	}
	return nil
}
