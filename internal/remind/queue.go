package remind

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/riverqueue/river"
)

const (
	// batchSize is how many reminders are one transaction at most. More are hardly
	// quicker, and callers wait for longer.
	batchSize = 100
	// runners is how many batches one process works at a time. Beside many creates, one
	// would get too small a part of the processors.
	runners = 3
)

// turn is a job that waits for its batch.
type turn struct {
	ctx context.Context //nolint:containedctx // each job has its own, and they share a batch
	job *river.Job[Args]

	// came is what has come of it; nil where the batch has left it.
	came *outcome
	done chan struct{}
}

// queue gathers the jobs that run at the same time into batches, without waiting for
// more to come: a job that comes alone is a batch of its own at once, and whatever
// comes while a batch is worked is the next. The zero value is empty.
type queue struct {
	mu      sync.Mutex
	waiting []*turn
	running int
}

// work returns what has come of a job in a batch. It returns nil where the batch has
// left it, and does not return before: a job that was given up while its batch
// commits would be run again in vain.
func (q *queue) work(ctx context.Context, job *river.Job[Args], batch func(context.Context, []*turn)) *outcome {
	t := &turn{ctx: ctx, job: job, done: make(chan struct{})}
	if q.add(t) {
		go q.run(batch) //nolint:contextcheck // each batch has its own (join)
	}
	<-t.done
	return t.came
}

// add reports whether somebody has to begin to work: the first runner for one job, the
// others for a full batch only. Many runners that share what comes would have small
// batches, which cost more.
func (q *queue) add(t *turn) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, t)
	if q.running > 0 && (q.running == runners || len(q.waiting) < batchSize) {
		return false
	}
	q.running++
	return true
}

// run works batches until nobody waits.
func (q *queue) run(batch func(context.Context, []*turn)) {
	for turns := q.take(); len(turns) > 0; turns = q.take() {
		workAll(turns, batch)
	}
}

// take takes the next batch: of the last runner what is there. An empty one ends its
// runner.
func (q *queue) take() []*turn {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.waiting), batchSize)
	if q.running > 1 && n < batchSize {
		n = 0
	}
	turns := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	if n == 0 {
		q.running--
	}
	return turns
}

// workAll works one batch.
func workAll(turns []*turn, batch func(context.Context, []*turn)) {
	ctx, end := join(turns)
	batch(ctx, turns)
	end()
	for _, t := range turns {
		close(t.done)
	}
}

// join is the context of what is done for all turns. It ends once each of theirs has:
// a job that is cancelled, or has taken too long, ends no others. Its values, such as
// the trace, are those of the first.
func join(turns []*turn) (ctx context.Context, end func()) {
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

// singlesAtOnce is how many jobs one process works alone at a time: each waits for
// locks with a connection of its own.
const singlesAtOnce = 10

// singles bounds how many jobs are worked alone. The zero value is ready.
type singles struct {
	once sync.Once
	free chan struct{}
}

// take waits for a place.
func (s *singles) take(ctx context.Context) (giveBack func(), err error) {
	s.once.Do(func() { s.free = make(chan struct{}, singlesAtOnce) })
	select {
	case s.free <- struct{}{}:
		return func() { <-s.free }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
