package soak

import (
	"context"
	"net/http"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"bookings/internal/pause"
)

// balancer sends new requests to servers that are ready, as load balancers do:
// by asking each server's readiness, over and over.
type balancer struct {
	servers [2]*server
	ready   [2]atomic.Bool
	turn    atomic.Uint64
}

// balancerInterval is how often readiness is asked. It must be well below the
// time that a stopping server still takes requests.
const balancerInterval = 100 * time.Millisecond

func (b *balancer) run(ctx context.Context) {
	var all sync.WaitGroup
	for i, s := range b.servers {
		all.Go(func() {
			for ctx.Err() == nil {
				b.ready[i].Store(isReady(ctx, s))
				pause.For(ctx, balancerInterval)
			}
		})
	}
	all.Wait()
}

func isReady(ctx context.Context, s *server) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+"/health/ready", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// RoundTrip implements http.RoundTripper.
func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	for {
		i := b.turn.Add(1) % 2
		if b.ready[i].Load() {
			to := r.Clone(r.Context())
			to.URL.Host = b.servers[i].addr
			return http.DefaultTransport.RoundTrip(to)
		}
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
	}
}

//nolint:paralleltest // it has the machine to itself
func TestARollingRestartLosesNoRequestAndNoEvent(t *testing.T) {
	if testing.Short() {
		t.Skip("breaks things for long")
	}
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("needs redis-server")
	}
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	balance := &balancer{servers: w.servers}
	var balancing sync.WaitGroup
	balancing.Go(func() { balance.run(ctx) })
	t.Cleanup(func() { cancel(); balancing.Wait(); http.DefaultClient.CloseIdleConnections() })
	for _, s := range w.servers {
		if !s.ready(ctx) {
			t.Fatal("a server did not get ready")
		}
	}
	load := startLoad(t, w, balance)
	readers := startReaders(t, w)
	for _, s := range w.servers {
		pause.For(ctx, time.Second)
		s.end(syscall.SIGTERM)
		s.start()
		if !s.ready(ctx) {
			t.Fatal("a server did not get ready again: ", s.state(ctx))
		}
	}
	pause.For(ctx, time.Second)
	load.stop()
	if failed := load.failed.Load(); failed > 0 {
		t.Errorf("%d of %d requests were lost, the first: %v", failed, failed+load.done.Load(), load.first.Load())
	}
	for _, lost := range w.lost(load.answered) {
		t.Errorf("answered and lost: %v", lost)
	}
	truth := w.feeds()
	for _, r := range readers {
		r.settle(r.wanted(truth))
		compare(t, r, r.wanted(truth))
	}
	t.Logf("requests %d, reconnects %d", load.done.Load(), reconnects(readers))
}
