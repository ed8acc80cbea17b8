package gather_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"testing/synctest"

	"bookings/internal/gather"
)

// bench is a queue whose batches are worked when the test lets them.
type bench struct {
	gather.Queue[int]

	runners gather.Runners[int]
	begun   chan work
}

// work is a batch that has begun. It ends with a word to end.
type work struct {
	ctx   context.Context //nolint:containedctx // what is looked at
	batch []int
	end   chan struct{}
}

func newBench(most, size int) *bench {
	b := &bench{begun: make(chan work, 10)}
	b.runners = gather.Runners[int]{Most: most, Size: size, Work: func(ctx context.Context, batch []int) {
		w := work{ctx, batch, make(chan struct{})}
		b.begun <- w
		<-w.end
	}}
	return b
}

func (b *bench) add(ctx context.Context, numbers ...int) (done []<-chan struct{}) {
	for _, number := range numbers {
		done = append(done, b.Add(ctx, number, b.runners))
	}
	return done
}

// next is the batch that has begun, which must have these numbers; without any, none has begun.
func (b *bench) next(t *testing.T, want ...int) (w work) {
	t.Helper()
	synctest.Wait()
	select {
	case w = <-b.begun:
	default:
	}
	if !reflect.DeepEqual(w.batch, want) {
		t.Fatalf("the next batch is %v, not %v", w.batch, want)
	}
	return w
}

func isClosed(done <-chan struct{}) bool {
	synctest.Wait()
	select {
	case <-done:
		return true
	default:
		return false
	}
}

func TestWhatComesWhileABatchIsWorkedIsTheNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(1, 3)
		first := b.add(t.Context(), 1)
		alone := b.next(t, 1)
		rest := b.add(t.Context(), 2, 3, 4, 5)
		b.next(t)
		if n := b.Waiting(); n != 4 || isClosed(first[0]) {
			t.Errorf("%d wait, and the first is done: %t", n, isClosed(first[0]))
		}
		close(alone.end)
		full := b.next(t, 2, 3, 4)
		if !isClosed(first[0]) || isClosed(rest[0]) {
			t.Error("done is not what has been worked")
		}
		close(full.end)
		last := b.next(t, 5)
		close(last.end)
		if !isClosed(rest[3]) || b.Waiting() != 0 {
			t.Error("something is left")
		}
	})
}

func TestFurtherRunnersTakeFullBatchesOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(2, 2)
		b.add(t.Context(), 1)
		first := b.next(t, 1)
		b.add(t.Context(), 2)
		b.next(t)
		b.add(t.Context(), 3)
		second := b.next(t, 2, 3)
		b.add(t.Context(), 4, 5, 6) // there is no third
		b.next(t)
		close(second.end)
		third := b.next(t, 4, 5)
		close(third.end) // 6 fills no batch
		b.next(t)
		close(first.end)
		close(b.next(t, 6).end)
	})
}

func TestWhoHasLeftBeforeABatchBeginsIsNotInIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(1, 10)
		b.add(t.Context(), 1)
		first := b.next(t, 1)
		ctx, leave := context.WithCancel(t.Context())
		left := b.add(ctx, 2)
		b.add(t.Context(), 3)
		leave()
		close(first.end)
		second := b.next(t, 3)
		gone := b.add(ctx, 4)
		close(second.end)
		if !isClosed(left[0]) || !isClosed(gone[0]) {
			t.Error("who has left waits")
		}
		b.next(t)
	})
}

type key struct{}

func TestABatchEndsWithTheLastWhoLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(1, 2)
		b.add(t.Context(), 1)
		first := b.next(t, 1)
		one, leaveOne := context.WithCancelCause(context.WithValue(t.Context(), key{}, "one"))
		other, leaveOther := context.WithCancelCause(context.WithValue(t.Context(), key{}, "other"))
		b.add(one, 2)
		b.add(other, 3)
		close(first.end)
		both := b.next(t, 2, 3)
		leaveOne(errors.New("one"))
		synctest.Wait()
		if both.ctx.Err() != nil || both.ctx.Value(key{}) != "one" {
			t.Errorf("after one has left: %v, %v", both.ctx.Err(), both.ctx.Value(key{}))
		}
		leaveOther(errors.New("other"))
		synctest.Wait()
		if cause := context.Cause(both.ctx); cause == nil || cause.Error() != "other" {
			t.Errorf("after both have: %v", cause)
		}
		close(both.end)
	})
}
