package soak

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/coder/websocket"

	"bookings/internal/booking"
	"bookings/internal/pause"
)

type feedName struct {
	role booking.Role
	user string
}

func (f feedName) String() string { return string(f.role) + "/" + f.user }

// all is the feed of everything.
var all = feedName{role: "all"}

// reader follows one feed and records what it is sent. When it is cut off it
// comes back to the other server, after the place that it has come to.
type reader struct {
	t     *testing.T
	world *world
	feed  feedName
	kind  string
	// types are those that it asks for; all where none is named.
	types []string
	// follow reads until the connection ends.
	follow func(r *reader, ctx context.Context, s *server) error

	mu      sync.Mutex
	record  []entry
	place   place
	longest time.Duration
	drop    context.CancelFunc
	returns atomic.Int64
}

// place is how far a reader has come: to an entry that it was sent, or past some
// that it did not ask for.
type place struct {
	sequence int64
	id       string
}

// newReaders are a socket and a stream of every user, and streams and lists of
// everything, of which some ask for few types.
func newReaders(t *testing.T, w *world) (readers []*reader) {
	t.Helper()
	few := []string{"booking.cancelled", "booking.reminder.due"}
	for _, feed := range everybody() {
		readers = append(readers,
			&reader{t: t, world: w, feed: feed, kind: "socket", follow: (*reader).followSocket},
			&reader{t: t, world: w, feed: feed, kind: "stream", follow: (*reader).followStream})
	}
	for _, types := range [][]string{nil, few} {
		readers = append(readers,
			&reader{t: t, world: w, feed: all, kind: "stream", types: types, follow: (*reader).followStream},
			&reader{t: t, world: w, feed: all, kind: "list", types: types, follow: (*reader).followList})
	}
	return readers
}

// startReaders has them read until the end of the test.
func startReaders(t *testing.T, w *world) []*reader {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() { cancel(); running.Wait() })
	readers := newReaders(t, w)
	for i, r := range readers {
		running.Go(func() { r.run(ctx, i) })
	}
	return readers
}

func (r *reader) run(ctx context.Context, first int) {
	for turn := first; ctx.Err() == nil; turn++ {
		connection, drop := context.WithCancel(ctx)
		r.mu.Lock()
		r.drop = drop
		r.mu.Unlock()
		r.judge(r.follow(r, connection, r.world.servers[turn%2]))
		drop()
		r.returns.Add(1)
		pause.For(ctx, 20*time.Millisecond)
	}
}

func (r *reader) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.drop != nil {
		r.drop()
	}
}

// judge fails the test for what no fault may lead to: a server that has not what
// the reader has.
func (r *reader) judge(err error) {
	if connect.CodeOf(err) == connect.CodeOutOfRange || websocket.CloseStatus(err) >= 4400 {
		r.t.Errorf("%s of %s: after %v it was told %v", r.kind, r.feed, r.at(), err)
	}
}

func (r *reader) at() place {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.place
}

// move notes how far the reader has come without an entry of its own.
func (r *reader) move(sequence int64, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.place = place{sequence, id}
}

func (r *reader) note(e entry, happened time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.record, r.place = append(r.record, e), place{e.sequence, e.id}
	r.longest = max(r.longest, time.Since(happened))
}

func (r *reader) seen() []entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.record
}

// wanted are the entries of the reader's feed that it asks for.
func (r *reader) wanted(truth map[feedName][]entry) []entry {
	return slices.DeleteFunc(slices.Clone(truth[r.feed]), func(e entry) bool {
		return len(r.types) > 0 && !slices.Contains(r.types, e.kind)
	})
}

// settle waits until the reader has as much as it should and returns the longest
// time that an entry took to arrive.
func (r *reader) settle(feed []entry) time.Duration {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), settleTime)
	defer cancel()
	for len(r.seen()) < len(feed) && ctx.Err() == nil {
		pause.For(ctx, 20*time.Millisecond)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.longest
}

func reconnects(readers []*reader) (sum int64) {
	for _, r := range readers {
		sum += r.returns.Load()
	}
	return sum
}

// difference says what is wrong with a record, or nothing.
func difference(record, feed []entry) string {
	for i := range min(len(record), len(feed)) {
		if record[i] != feed[i] {
			return fmt.Sprintf("entry %d is %v, the feed has %v", i+1, record[i], feed[i])
		}
	}
	if len(record) != len(feed) {
		return fmt.Sprintf("%d entries, the feed has %d", len(record), len(feed))
	}
	return ""
}
