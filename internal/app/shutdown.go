package app

import (
	"context"
	"time"
)

// Each phase of a shutdown ends by its share of SHUTDOWN_TIMEOUT, in percent
// from its beginning: requests that do not end leave jobs their time, and jobs
// that do not end are cut off before the process is.
const (
	drainShare    = 25
	requestsShare = 60
	jobsShare     = 85
	cutOffShare   = 95
)

// closeTimeout bounds the closing of a pool, when nobody uses it any more.
const closeTimeout = time.Second

// shutdown is one that has begun.
type shutdown struct {
	began time.Time
	most  time.Duration
}

// within is the context of a phase that ends by this share of the time, though ctx
// has ended.
func (s shutdown) within(ctx context.Context, percent int) (context.Context, context.CancelFunc) {
	return context.WithDeadline(context.WithoutCancel(ctx), s.began.Add(s.part(percent)))
}

func (s shutdown) part(percent int) time.Duration { return s.most / 100 * time.Duration(percent) }
