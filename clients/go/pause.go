package bookings

import (
	"context"
	"math/rand/v2"
	"time"
)

// jitter is any time up to a bound that doubles with each try, so that those who were
// cut off together do not come back together.
func jitter(try int, first, longest time.Duration) time.Duration {
	return rand.N(min(first<<min(try, 16), longest))
}

// pause waits, and reports whether the context has not ended meanwhile.
func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// endsWithin tells whether the context ends before it has been waited.
func endsWithin(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) <= wait
}
