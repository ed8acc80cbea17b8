package soak

import (
	"context"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bookings/internal/pause"
)

// fault breaks one thing and mends it again.
type fault struct {
	name  string
	cause func(ctx context.Context, w *world, readers []*reader, random *rand.Rand)
}

var faults = []fault{
	{"kill a server", func(ctx context.Context, w *world, _ []*reader, random *rand.Rand) {
		victim := w.servers[random.IntN(len(w.servers))]
		victim.kill()
		pause.For(ctx, 300*time.Millisecond)
		victim.start()
	}},
	{"stop a server in order", func(_ context.Context, w *world, _ []*reader, random *rand.Rand) {
		victim := w.servers[random.IntN(len(w.servers))]
		victim.end(syscall.SIGTERM)
		victim.start()
	}},
	{"kill pub/sub connections", func(ctx context.Context, w *world, _ []*reader, _ *rand.Rand) {
		client := w.redis.client()
		defer func() { _ = client.Close() }()
		_ = client.Do(ctx, "CLIENT", "KILL", "TYPE", "pubsub").Err()
	}},
	{"hang Redis", func(ctx context.Context, w *world, _ []*reader, _ *rand.Rand) {
		_ = w.redis.cmd.Process.Signal(syscall.SIGSTOP)
		pause.For(ctx, 2*time.Second)
		_ = w.redis.cmd.Process.Signal(syscall.SIGCONT)
	}},
	{"restart Redis empty", func(ctx context.Context, w *world, _ []*reader, _ *rand.Rand) {
		w.redis.kill()
		pause.For(ctx, 500*time.Millisecond)
		w.redis.start()
	}},
	{"terminate backends", func(ctx context.Context, w *world, _ []*reader, _ *rand.Rand) {
		conn, err := pgx.Connect(ctx, w.databaseURL())
		if err != nil {
			return
		}
		defer func() { _ = conn.Close(ctx) }()
		_, _ = conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`)
	}},
	{"restart PostgreSQL", func(_ context.Context, w *world, _ []*reader, _ *rand.Rand) {
		_ = w.cluster.Stop()
		w.startPostgres()
	}},
	{"drop clients", func(_ context.Context, _ *world, readers []*reader, random *rand.Rand) {
		for range 5 {
			readers[random.IntN(len(readers))].cut()
		}
	}},
}

// breakThings causes faults for a while, each kind at least once, and returns
// how many of each. At its end everything runs again.
func breakThings(t *testing.T, w *world, readers []*reader, random *rand.Rand, d time.Duration) map[string]int {
	t.Helper()
	ctx := t.Context()
	for _, server := range w.servers {
		if !server.ready(ctx) {
			t.Fatal("a server did not get ready")
		}
	}
	caused := map[string]int{}
	deadline := time.Now().Add(d)
	for order := random.Perm(len(faults)); len(order) > 0 || time.Now().Before(deadline); {
		if len(order) == 0 {
			order = random.Perm(len(faults))
		}
		next := faults[order[0]]
		order = order[1:]
		pause.For(ctx, time.Duration(random.Int64N(int64(time.Second))))
		next.cause(ctx, w, readers, random)
		caused[next.name]++
	}
	for _, server := range w.servers {
		if !server.ready(ctx) {
			t.Fatal("a server did not get ready again")
		}
	}
	return caused
}
