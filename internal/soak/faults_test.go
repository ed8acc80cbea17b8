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
	// once tells that it cannot be mended a second time.
	once bool
}

// restartPostgres is for worlds that have one PostgreSQL of their own.
var restartPostgres = fault{name: "restart PostgreSQL", cause: func(_ context.Context, w *world, _ []*reader, _ *rand.Rand) {
	_ = w.cluster.Stop()
	w.startPostgres()
}}

// faults are those of all worlds.
var faults = []fault{
	{name: "kill a server", cause: func(ctx context.Context, w *world, _ []*reader, random *rand.Rand) {
		victim := w.servers[random.IntN(len(w.servers))]
		victim.kill()
		pause.For(ctx, 300*time.Millisecond)
		victim.start()
	}},
	{name: "stop a server in order", cause: func(_ context.Context, w *world, _ []*reader, random *rand.Rand) {
		victim := w.servers[random.IntN(len(w.servers))]
		victim.end(syscall.SIGTERM)
		victim.start()
	}},
	{name: "kill pub/sub connections", cause: func(ctx context.Context, w *world, _ []*reader, _ *rand.Rand) {
		client := w.redis.client()
		defer func() { _ = client.Close() }()
		_ = client.Do(ctx, "CLIENT", "KILL", "TYPE", "pubsub").Err()
	}},
	{name: "hang Redis", cause: func(ctx context.Context, w *world, _ []*reader, _ *rand.Rand) {
		_ = w.redis.cmd.Process.Signal(syscall.SIGSTOP)
		pause.For(ctx, 2*time.Second)
		_ = w.redis.cmd.Process.Signal(syscall.SIGCONT)
	}},
	{name: "restart Redis empty", cause: func(ctx context.Context, w *world, _ []*reader, _ *rand.Rand) {
		w.redis.kill()
		pause.For(ctx, 500*time.Millisecond)
		w.redis.start()
	}},
	{name: "terminate backends", cause: func(ctx context.Context, w *world, _ []*reader, _ *rand.Rand) {
		conn, err := pgx.Connect(ctx, w.database)
		if err != nil {
			return
		}
		defer func() { _ = conn.Close(ctx) }()
		_, _ = conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`)
	}},
	{name: "drop clients", cause: func(_ context.Context, _ *world, readers []*reader, random *rand.Rand) {
		for range 5 {
			readers[random.IntN(len(readers))].cut()
		}
	}},
}

// breakThings causes faults for a while, each kind at least once, and returns
// how many of each. At its end everything runs again.
func breakThings(t *testing.T, w *world, faults []fault, readers []*reader, random *rand.Rand, d time.Duration) map[string]int {
	t.Helper()
	ctx := t.Context()
	for _, server := range w.servers {
		if !server.ready(ctx) {
			t.Fatal("a server did not get ready")
		}
	}
	caused := map[string]int{}
	deadline := time.Now().Add(d)
	for order := random.Perm(len(faults)); len(caused) < len(faults) || time.Now().Before(deadline); {
		if len(order) == 0 {
			order = random.Perm(len(faults))
		}
		next := faults[order[0]]
		order = order[1:]
		if next.once && caused[next.name] > 0 {
			continue
		}
		pause.For(ctx, time.Duration(random.Int64N(int64(time.Second))))
		next.cause(ctx, w, readers, random)
		caused[next.name]++
	}
	for _, server := range w.servers {
		if !server.ready(ctx) {
			t.Fatal("a server did not get ready again: ", server.state(ctx))
		}
	}
	return caused
}
