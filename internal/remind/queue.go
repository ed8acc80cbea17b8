package remind

import (
	"context"
	"sync"

	"github.com/riverqueue/river"

	"bookings/internal/gather"
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
}

// together returns what has come of a job in a batch. It returns nil where the batch has
// left it, and does not return before: a job that was given up while its batch
// commits would be run again in vain.
func (w *Worker) together(ctx context.Context, job *river.Job[Args]) *outcome {
	t := &turn{ctx: ctx, job: job}
	<-w.queue.Add(ctx, t, gather.Runners[*turn]{Most: runners, Size: batchSize, Work: w.batch})
	return t.came
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
