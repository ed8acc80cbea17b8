// Package pause waits for a time or for a context, whichever ends first.
package pause

import (
	"context"
	"time"
)

// For waits d, and reports whether the context still goes on: false as soon as
// it has ended. Loops that try again call it between two tries.
func For(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
