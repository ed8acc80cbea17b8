package ratelimit

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"bookings/internal/redistest"
)

// asked counts the calls that Redis is asked for.
type asked struct{ count atomic.Int64 }

func (a *asked) DialHook(next redis.DialHook) redis.DialHook { return next }

func (a *asked) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		if command.Name() == "evalsha" {
			a.count.Add(1)
		}
		return next(ctx, command)
	}
}

func (a *asked) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// instance is one instance's limiter.
type instance struct {
	*Shared
	asked *asked
	clock *clock
}

func newInstance(t *testing.T, options *redis.Options, installation string) instance {
	t.Helper()
	options.MaxRetries = -1
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	i := instance{asked: &asked{}, clock: &clock{}}
	client.AddHook(i.asked)
	i.Shared = NewShared(client, New(60, i.clock.now), func() string { return installation }, slog.New(slog.DiscardHandler))
	return i
}

// patient has the instance wait for Redis as long as it takes: others use this
// machine, too.
func (i instance) patient() instance {
	i.deadline = time.Minute
	return i
}

func (i instance) take(n int, key Key) (allowed int) {
	for range n {
		if i.Take(context.Background(), key).Allowed {
			allowed++
		}
	}
	return allowed
}

func TestOneLimitHoldsOverAllInstances(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	instances := []instance{}
	for range 3 {
		instances = append(instances, newInstance(t, server.Options(), "one").patient())
	}
	began := time.Now()
	var allowed atomic.Int64
	var all sync.WaitGroup
	for _, i := range instances {
		all.Go(func() { allowed.Add(int64(i.take(100, userKey("anna")))) })
	}
	all.Wait()
	refilled := int64(time.Since(began)/time.Second) + 1
	if n := allowed.Load(); n < 60 || n > 60+refilled {
		t.Errorf("%d calls passed", n)
	}
	if n := instances[0].take(1, userKey("ben")); n != 1 {
		t.Error("another user is limited too")
	}
	if n := newInstance(t, server.Options(), "another").patient().take(1, userKey("anna")); n != 1 {
		t.Error("the user of that name in another installation is limited too")
	}
}

func TestTheSharedBucketIsTheLocalOne(t *testing.T) {
	t.Parallel()
	shared := newInstance(t, redistest.Start(t).Options(), "one").patient()
	local := New(60, shared.clock.now) // whose time stands still
	for n := range 70 {
		want, got := local.Take(t.Context(), userKey("anna")), shared.Take(t.Context(), userKey("anna"))
		// Redis's time goes on: a little of the bucket may have come back.
		if got.Limit != want.Limit || got.Remaining < want.Remaining || got.Reset > want.Reset || got.RetryAfter > want.RetryAfter {
			t.Errorf("call %d: %+v, locally %+v", n+1, got, want)
		}
		if !got.Allowed && (got.RetryAfter <= 0 || got.RetryAfter > time.Second) {
			t.Errorf("call %d: %+v", n+1, got)
		}
	}
}

// mute is a Redis that takes connections and never answers.
func mute(t *testing.T) *redis.Options {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return &redis.Options{Addr: listener.Addr().String(), ContextTimeoutEnabled: true}
}

// Nobody is locked out, nobody is let through without limit, and one call in five
// seconds waits for a Redis that fails.
func TestWithoutRedisAnInstanceLimitsAlone(t *testing.T) {
	t.Parallel()
	gone := redistest.Start(t)
	killed := newInstance(t, gone.Options(), "one").patient()
	gone.Kill()
	for name, i := range map[string]instance{
		"killed":    killed,
		"hung":      newInstance(t, mute(t), "one"),
		"not there": newInstance(t, &redis.Options{Dialer: func(context.Context, string, string) (net.Conn, error) { return nil, errors.ErrUnsupported }}, "one"),
	} {
		for round := range 3 {
			want := 5 // one a second has come back
			if round == 0 {
				want = 60
			}
			if n := i.take(80, userKey("anna")); n != want {
				t.Errorf("%s: %d calls passed in round %d", name, n, round)
			}
			if n := i.asked.count.Load(); n != int64(round+1) {
				t.Errorf("%s: Redis was asked %d times in %d rounds", name, n, round+1)
			}
			i.clock.pass(aloneFor)
		}
	}
}

func TestRedisIsAskedAgainOnceItIsBack(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	i := newInstance(t, server.Options(), "one").patient()
	server.Kill()
	i.take(1, userKey("anna"))
	server.Run()
	if i.take(1, userKey("anna")); i.asked.count.Load() != 1 {
		t.Error("Redis was asked too soon")
	}
	i.clock.pass(aloneFor)
	if i.take(1, userKey("anna")); i.alone() || i.asked.count.Load() < 2 {
		t.Error("Redis was not asked again")
	}
}

func TestACallerWhoHasGoneIsNoFailureOfRedis(t *testing.T) {
	t.Parallel()
	i := newInstance(t, redistest.Start(t).Options(), "one").patient()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 {
		i.Take(gone, userKey("anna"))
	}
	if decision := i.Take(t.Context(), userKey("anna")); i.alone() || decision.Remaining > 30 {
		t.Errorf("alone: %v; after 51 calls there are %d left", i.alone(), decision.Remaining)
	}
}

func TestUntilTheInstallationIsKnownAnInstanceLimitsAlone(t *testing.T) {
	t.Parallel()
	i := newInstance(t, redistest.Start(t).Options(), "")
	if n := i.take(80, userKey("anna")); n != 60 || i.asked.count.Load() != 0 {
		t.Errorf("%d calls passed, Redis was asked %d times", n, i.asked.count.Load())
	}
}
