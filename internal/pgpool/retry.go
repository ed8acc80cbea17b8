package pgpool

import (
	"context"
	"math/rand/v2"
	"time"

	"bookings/internal/pause"
	"bookings/internal/pgerror"
)

const (
	// tries is how often something is tried before it has failed.
	tries = 3
	// maxPause is the longest pause before the second try; before the third it is
	// twice that. It is random, or two that have met would meet again.
	maxPause = 20 * time.Millisecond
)

// retry runs f, and again where it has failed for a reason that passes. f must
// leave nothing behind when it fails so: a statement alone does not, nor does a
// transaction as a whole.
func retry(ctx context.Context, f func() error) error {
	for try := 1; ; try++ {
		err := f()
		if try == tries || !pgerror.Passing(err) {
			return err
		}
		if !pause.For(ctx, rand.N(time.Duration(try)*maxPause)) {
			return err
		}
	}
}
