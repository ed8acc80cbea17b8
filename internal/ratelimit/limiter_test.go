package ratelimit

import (
	"context"
	"encoding/binary"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bookings/internal/booking"
)

// clock is a time that only a test moves.
type clock struct{ nanos atomic.Int64 }

func (c *clock) now() time.Time       { return time.Unix(1_800_000_000, c.nanos.Load()) }
func (c *clock) pass(d time.Duration) { c.nanos.Add(int64(d)) }

func userKey(id string) Key { return UserKey(booking.Actor{Role: booking.RoleCustomer, ID: id}) }

// takeN takes n times and returns how many calls passed.
func takeN(l *Limiter, key Key, n int) (allowed int) {
	for range n {
		if l.Take(context.Background(), key).Allowed {
			allowed++
		}
	}
	return allowed
}

func requireDecision(t *testing.T, l *Limiter, key Key, want Decision) {
	t.Helper()
	if got := l.Take(t.Context(), key); got != want {
		t.Fatalf("Take = %+v, want %+v", got, want)
	}
}

func TestSixtyPassAtOnceAndTheNextMustWaitASecond(t *testing.T) {
	t.Parallel()
	l := New(60, new(clock).now)
	requireDecision(t, l, userKey("u"), Decision{Allowed: true, Limit: 60, Remaining: 59, Reset: time.Second})
	if allowed := takeN(l, userKey("u"), 58); allowed != 58 {
		t.Fatalf("%d of 58 calls passed", allowed)
	}
	requireDecision(t, l, userKey("u"), Decision{Allowed: true, Limit: 60, Remaining: 0, Reset: time.Minute})
	requireDecision(t, l, userKey("u"), Decision{Limit: 60, Remaining: 0, Reset: time.Minute, RetryAfter: time.Second})
}

func TestAnEmptyBucketPassesOneCallASecond(t *testing.T) {
	t.Parallel()
	c := new(clock)
	l := New(60, c.now)
	takeN(l, userKey("u"), 60)
	for range 120 {
		c.pass(time.Second)
		if allowed := takeN(l, userKey("u"), 3); allowed != 1 {
			t.Fatalf("%d calls passed in one second, want 1", allowed)
		}
	}
}

func TestTheFirstMinutePassesAtMost119(t *testing.T) {
	t.Parallel()
	c := new(clock)
	l := New(60, c.now)
	passed := takeN(l, userKey("u"), 100)
	for range 59 {
		c.pass(time.Second)
		passed += takeN(l, userKey("u"), 100)
	}
	if passed != 119 {
		t.Fatalf("%d calls passed, want 119", passed)
	}
}

func TestAnIdleMinuteFillsTheBucketAndNotMore(t *testing.T) {
	t.Parallel()
	c := new(clock)
	l := New(60, c.now)
	takeN(l, userKey("u"), 60)
	c.pass(time.Hour)
	if allowed := takeN(l, userKey("u"), 100); allowed != 60 {
		t.Fatalf("%d calls passed after an hour, want 60", allowed)
	}
}

func TestTimesAreRoundedUp(t *testing.T) {
	t.Parallel()
	c := new(clock)
	l := New(7, c.now)
	takeN(l, userKey("u"), 7)
	requireDecision(t, l, userKey("u"), Decision{Limit: 7, Reset: time.Minute, RetryAfter: 8572 * time.Millisecond})
	c.pass(300 * time.Millisecond)
	requireDecision(t, l, userKey("u"), Decision{Limit: 7, Reset: time.Minute, RetryAfter: 8272 * time.Millisecond})
}

// A caller that waits as told must not be refused again, whatever the rounding.
func TestTheNextCallPassesAfterRetryAfter(t *testing.T) {
	t.Parallel()
	for _, rpm := range []int{1, 7, 60, 61, 100, 999, 10_000} {
		c := new(clock)
		l := New(rpm, c.now)
		for range 50 {
			c.pass(drain(l, userKey("u")).RetryAfter)
			if again := l.Take(t.Context(), userKey("u")); !again.Allowed {
				t.Fatalf("rpm %d: refused after waiting as told: %+v", rpm, again)
			}
		}
	}
}

// drain takes until a call is refused, and returns that refusal.
func drain(l *Limiter, key Key) Decision {
	for {
		if decision := l.Take(context.Background(), key); !decision.Allowed {
			return decision
		}
	}
}

func TestRacingCallsPassExactlySixty(t *testing.T) {
	t.Parallel()
	l := New(60, new(clock).now)
	var passed atomic.Int64
	var racers sync.WaitGroup
	for range 50 {
		racers.Go(func() { passed.Add(int64(takeN(l, userKey("u"), 10))) })
	}
	racers.Wait()
	if passed.Load() != 60 {
		t.Fatalf("%d racing calls passed, want 60", passed.Load())
	}
}

func TestSwitchedOffEverythingPasses(t *testing.T) {
	t.Parallel()
	l := New(0, new(clock).now)
	for range 1000 {
		requireDecision(t, l, userKey("u"), Decision{Allowed: true})
	}
}

func TestEachKeyHasItsOwnBucket(t *testing.T) {
	t.Parallel()
	l := New(60, new(clock).now)
	keys := []Key{userKey("u"), userKey("v"), userKey("203.0.113.7"), AddressKey(netip.MustParseAddr("203.0.113.7"))}
	for _, key := range keys {
		if allowed := takeN(l, key, 61); allowed != 60 {
			t.Fatalf("%v: %d calls passed, want 60", key, allowed)
		}
	}
}

func TestAFloodOfAddressesNeitherGrowsMemoryNorForgetsAUser(t *testing.T) {
	t.Parallel()
	l := New(60, new(clock).now)
	takeN(l, userKey("u"), 60)
	flood(l, 0, 3*MaxBuckets)
	if kept := l.addresses.buckets.Len(); kept != MaxBuckets {
		t.Fatalf("%d addresses are remembered, want %d", kept, MaxBuckets)
	}
	if l.Take(t.Context(), userKey("u")).Allowed {
		t.Fatal("the flood gave the user a new bucket")
	}
}

func TestAnAddressIsNotForgottenWhileItKnocks(t *testing.T) {
	t.Parallel()
	l := New(60, new(clock).now)
	knocker := AddressKey(netip.MustParseAddr("203.0.113.7"))
	takeN(l, knocker, 60)
	for round := range 2 {
		flood(l, round*MaxBuckets, MaxBuckets-1)
		if l.Take(t.Context(), knocker).Allowed {
			t.Fatal("a refused address regained its bucket")
		}
	}
}

// flood takes once from each of n addresses of 10.0.0.0/8, beginning with that
// number first.
func flood(l *Limiter, first, n int) {
	for i := range n {
		var raw [4]byte
		binary.BigEndian.PutUint32(raw[:], uint32(10<<24+first+i))
		l.Take(context.Background(), AddressKey(netip.AddrFrom4(raw)))
	}
}
