package ratelimit

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"
	xrate "golang.org/x/time/rate"
)

const (
	// sharedDeadline is how long a call waits for Redis at most.
	sharedDeadline = 20 * time.Millisecond
	// aloneFor is how long an instance limits alone after Redis has failed it: one
	// call in so many seconds waits in vain, not each.
	aloneFor = 5 * time.Second
	// warnInterval is how often it is logged that it does.
	warnInterval = time.Minute
)

// Shared counts the calls of all instances together, in Redis: the same bucket
// as Limiter has, one for each key, kept by a script there (redis_rate). It asks
// once a call and tries nothing again. Where Redis does not answer in time, this
// instance limits alone for a while, by a Limiter of its own: nobody is locked out
// by that, and nobody gets more than one more bucket from each instance.
type Shared struct {
	redis *redis_rate.Limiter
	limit redis_rate.Limit
	local *Limiter
	// name tells this installation's keys from those of others on the same Redis.
	// It is empty while it is not known.
	name func() string
	log  *slog.Logger
	// deadline is sharedDeadline but for tests.
	deadline time.Duration
	// aloneUntil is when Redis is asked again, in Unix nanoseconds.
	aloneUntil atomic.Int64
	// counted are the calls that this instance counted alone.
	counted  atomic.Int64
	warnings xrate.Sometimes
}

// NewShared makes a limiter over Redis that falls back on a local one, whose
// limit and clock it has.
func NewShared(client redis.UniversalClient, local *Limiter, name func() string, log *slog.Logger) *Shared {
	return &Shared{
		redis: redis_rate.NewLimiter(client),
		limit: redis_rate.PerMinute(local.rpm),
		local: local, name: name, log: log, deadline: sharedDeadline,
		warnings: xrate.Sometimes{Interval: warnInterval},
	}
}

// Take counts one call against the key and says whether it may pass. A refused
// call costs nothing.
func (s *Shared) Take(ctx context.Context, key Key) Decision {
	name := s.name()
	if s.local.rpm <= 0 || name == "" || s.alone() {
		return s.takeAlone(ctx, key)
	}
	// Not cut short where the caller has gone: that would look like a failure.
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.deadline)
	defer cancel()
	result, err := s.redis.Allow(asking, name+":"+key.String(), s.limit)
	if err != nil {
		s.fail(err)
		return s.takeAlone(ctx, key)
	}
	return s.decide(result)
}

func (s *Shared) takeAlone(ctx context.Context, key Key) Decision {
	s.counted.Add(1)
	return s.local.Take(ctx, key)
}

// Alone is how many calls this instance has counted alone, as Redis did not.
func (s *Shared) Alone() int64 { return s.counted.Load() }

func (s *Shared) alone() bool { return s.local.now().UnixNano() < s.aloneUntil.Load() }

func (s *Shared) fail(err error) {
	s.aloneUntil.Store(s.local.now().Add(aloneFor).UnixNano())
	s.warnings.Do(func() { s.log.Warn("Redis does not count requests: each instance limits alone", "error", err) })
}

// decide puts the script's answer into ours.
func (s *Shared) decide(result *redis_rate.Result) Decision {
	decision := Decision{
		Allowed:   result.Allowed > 0,
		Limit:     s.local.rpm,
		Remaining: result.Remaining,
		Reset:     roundUp(result.ResetAfter, time.Second),
	}
	if !decision.Allowed {
		decision.RetryAfter = roundUp(result.RetryAfter, time.Millisecond)
	}
	return decision
}
