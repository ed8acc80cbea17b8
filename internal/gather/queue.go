// Package gather works in batches what is to be done at the same time.
package gather

import (
	"context"
	"sync"
	"sync/atomic"
)

// Queue gathers what is to be done into batches, without waiting for more to come: what
// comes alone is a batch of its own at once, and whatever comes while a batch is
// worked is the next. The zero value is empty.
type Queue[T any] struct {
	mu      sync.Mutex
	waiting []turn[T]
	running int
}

// Runners work a queue's batches.
type Runners[T any] struct {
	// Most is how many batches are worked at a time. All but one take full ones only:
	// many runners that share what comes would have small batches, which cost more.
	Most int
	// Size is how many are one batch at most.
	Size int
	// Work works a batch. Its context ends once that of each in it has: one caller who
	// leaves ends nothing for others. Its values, such as the trace, are the first's. A
	// panic in it ends the process (see Recovering).
	Work func(ctx context.Context, batch []T)
}

// turn is one that waits for its batch.
type turn[T any] struct {
	ctx  context.Context //nolint:containedctx // each has its own, and they share a batch
	of   T
	done chan struct{}
}

// Add adds one, whose batch is worked by the runners of its queue. done is closed once
// its batch is over. One whose context has ended before that began was not in it.
func (q *Queue[T]) Add(ctx context.Context, one T, by Runners[T]) (done <-chan struct{}) {
	t := turn[T]{ctx: ctx, of: one, done: make(chan struct{})}
	if q.add(t, by) {
		go q.run(by) //nolint:contextcheck // each batch has its own (join)
	}
	return t.done
}

// Waiting is how many wait for a batch.
func (q *Queue[T]) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// add reports whether somebody has to begin to work: the first runner for one, the
// others for a full batch only.
func (q *Queue[T]) add(t turn[T], by Runners[T]) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, t)
	if q.running > 0 && (q.running == by.Most || len(q.waiting) < by.Size) {
		return false
	}
	q.running++
	return true
}

// run works batches until nobody waits.
func (q *Queue[T]) run(by Runners[T]) {
	for turns := q.take(by.Size); len(turns) > 0; turns = q.take(by.Size) {
		workAll(turns, by.Work)
	}
}

// take takes the next batch: of the last runner what is there. An empty one ends its
// runner.
func (q *Queue[T]) take(size int) []turn[T] {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.waiting), size)
	if q.running > 1 && n < size {
		n = 0
	}
	turns := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	if len(q.waiting) == 0 {
		q.waiting = nil // whose array would keep all who have waited in it
	}
	if n == 0 {
		q.running--
	}
	return turns
}

// workAll works a batch of those who have not left.
func workAll[T any](turns []turn[T], work func(context.Context, []T)) {
	var here []turn[T]
	var batch []T
	for _, t := range turns {
		if t.ctx.Err() == nil {
			here, batch = append(here, t), append(batch, t.of)
		}
	}
	if len(here) > 0 {
		ctx, end := join(here)
		work(ctx, batch)
		end()
	}
	for _, t := range turns {
		close(t.done)
	}
}

// join is the context of what is done for all turns. It ends once each of theirs has.
func join[T any](turns []turn[T]) (ctx context.Context, end func()) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(turns[0].ctx))
	var left atomic.Int64
	left.Store(int64(len(turns)))
	stops := make([]func() bool, len(turns))
	for i, t := range turns {
		stops[i] = context.AfterFunc(t.ctx, func() {
			if left.Add(-1) == 0 {
				cancel(context.Cause(t.ctx))
			}
		})
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel(nil)
	}
}
