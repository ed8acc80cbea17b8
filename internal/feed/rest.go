package feed

import (
	"context"
	"slices"
)

// Ready tells whether Next would return an entry at once.
func (s *Subscription) Ready() bool {
	return len(s.page) > 0 || s.feed.after(s.cursor).next != nil
}

// Rest begins a rest where all that is known has been delivered: the reader need
// not sit in Next until there is something to do, and so needs no goroutine of its
// own. The rest ends by one call of goOn, when an entry or a new head has come,
// when the hub ends its subscriptions, or by Wake. goOn must not wait.
//
// It returns false, and goOn is not called, where there is something to do, and
// where the subscription or the context has ended: Next says what it is.
func (s *Subscription) Rest(ctx context.Context, goOn func()) bool {
	f := s.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(s.page) > 0 || s.cursor != f.head || s.ended(ctx) != nil {
		return false
	}
	s.goOn = goOn
	f.resting = append(f.resting, s)
	return true
}

// Wake ends a rest; where there is none it does nothing. Whoever ends the context of
// a Rest calls it next.
func (s *Subscription) Wake() {
	f := s.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.Index(f.resting, s); i >= 0 {
		f.resting = slices.Delete(f.resting, i, i+1)
		s.goOn()
	}
}

// end is how the hub ends the subscription.
func (s *Subscription) end() {
	close(s.done)
	s.Wake()
}
