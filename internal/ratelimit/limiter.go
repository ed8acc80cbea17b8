// Package ratelimit limits how often somebody may call: each user, or each
// address where no user is known.
//
// A limit of 60 a minute is a bucket of 60 that is refilled one a second. It
// passes 60 calls at once and up to 119 in the first 60 seconds; 60 a minute
// holds from then on.
//
// Limiter counts in this process; Shared counts for all instances, in Redis, by
// the same bucket.
//
// # Memory
//
// In Redis a bucket is a key that is gone once the bucket is full. Here users and
// addresses are kept apart, at most MaxBuckets of each, so that a flood of
// addresses forgets no user. The bucket that was used least recently makes room
// for a new one, and whoever was forgotten starts with a full one. That gives
// nothing away as long as fewer than MaxBuckets callers come in the minute that an
// empty bucket needs to fill: a bucket that nobody used for a minute is full
// anyway, and a refused call is a use too, so nobody is forgotten while knocking.
//
// To be forgotten sooner, a caller needs MaxBuckets others that call after it
// within the minute, each with a full bucket of its own. What is regained is at
// most one bucket for each MaxBuckets buckets that the others have brought: one
// more network would have given as much. Users cannot be made up, since their
// tokens are signed.
package ratelimit

import (
	"context"
	"time"

	"golang.org/x/time/rate"
)

// Limiter counts the calls of one process. It is safe for concurrent use.
type Limiter struct {
	rpm       int
	now       func() time.Time
	users     *store
	addresses *store
}

// Decision is the answer to one call, and what its caller is told of the limit.
type Decision struct {
	Allowed bool
	// Limit is the size of the bucket, in calls; 0 where limits are off, and
	// then nothing below means anything.
	Limit int
	// Remaining is how many calls would pass right now, 0 to Limit.
	Remaining int
	// Reset is how long until the bucket is full again, in whole seconds,
	// rounded up.
	Reset time.Duration
	// RetryAfter is how long until the next call passes if nobody else takes
	// it, in whole milliseconds, rounded up; 0 when this one was allowed.
	RetryAfter time.Duration
}

// New makes a limiter of rpm calls a minute for each key; 0 or less switches
// limits off. now is the clock.
func New(rpm int, now func() time.Time) *Limiter {
	return &Limiter{rpm: rpm, now: now, users: newStore(rpm, now), addresses: newStore(rpm, now)}
}

// Take counts one call against the key and says whether it may pass. A refused
// call costs nothing. The context is for a limit that is shared by several
// instances (Shared); this one asks nobody and never waits.
func (l *Limiter) Take(_ context.Context, key Key) Decision {
	if l.rpm <= 0 {
		return Decision{Allowed: true}
	}
	allowed, tokens := l.storeOf(key).take(key)
	return l.decide(allowed, tokens)
}

func (l *Limiter) storeOf(key Key) *store {
	if key.kind == user {
		return l.users
	}
	return l.addresses
}

// decide puts a bucket's tokens into words.
func (l *Limiter) decide(allowed bool, tokens float64) Decision {
	decision := Decision{
		Allowed:   allowed,
		Limit:     l.rpm,
		Remaining: max(0, int(tokens)),
		Reset:     roundUp(l.refill(float64(l.rpm)-tokens), time.Second),
	}
	if !allowed {
		decision.RetryAfter = roundUp(l.refill(1-tokens), time.Millisecond)
	}
	return decision
}

// refill is how long a bucket needs to gain so many tokens.
func (l *Limiter) refill(tokens float64) time.Duration {
	return time.Duration(tokens / float64(perSecond(l.rpm)) * float64(time.Second))
}

func perSecond(rpm int) rate.Limit { return rate.Limit(rpm) / 60 }

func roundUp(d, unit time.Duration) time.Duration {
	return (d + unit - 1).Truncate(unit)
}
