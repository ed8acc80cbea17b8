package ratelimit

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"
)

// MaxBuckets is how many users, and how many addresses, are remembered.
const MaxBuckets = 100_000

// store holds the buckets of one kind of key. One lock covers finding a bucket,
// making it and taking from it: two first calls of one key meet in one bucket,
// and what is told of a bucket is true of the moment in which it was taken from.
type store struct {
	rpm int
	now func() time.Time

	mu      sync.Mutex
	buckets *simplelru.LRU[Key, *rate.Limiter]
}

func newStore(rpm int, now func() time.Time) *store {
	buckets, err := simplelru.NewLRU[Key, *rate.Limiter](MaxBuckets, nil)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	return &store{rpm: rpm, now: now, buckets: buckets}
}

// take tries to take one token and returns how many are left. The clock is read
// under the lock, for a bucket that sees time go back would fill twice.
func (s *store) take(key Key) (allowed bool, left float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	bucket, now := s.bucket(key), s.now()
	return bucket.AllowN(now, 1), bucket.TokensAt(now)
}

// bucket finds the key's bucket, or makes a full one in place of the least
// recently used. The caller holds the lock.
func (s *store) bucket(key Key) *rate.Limiter {
	if bucket, ok := s.buckets.Get(key); ok {
		return bucket
	}
	bucket := rate.NewLimiter(perSecond(s.rpm), s.rpm)
	s.buckets.Add(key, bucket)
	return bucket
}
