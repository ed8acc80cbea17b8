package programtest

import (
	"context"
	"net"
	"sync"
	"testing"
)

// Serve runs a server until it is stopped, by the end of the test at the latest, and returns
// where it listens. stop waits for its end, which has to be in order.
func Serve(t testing.TB, run func(ctx context.Context, listening func(net.Addr)) error) (address string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	listening, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() { ended <- run(ctx, func(at net.Addr) { listening <- at }) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	t.Cleanup(stop)
	select {
	case at := <-listening:
		return at.String(), stop
	case err := <-ended:
		ended <- nil
		t.Fatalf("the server did not start: %v", err)
		return "", nil
	}
}
