package wsapi

import (
	"context"
	"sync"
	"time"

	"bookings/internal/booking"
)

// dropTime is what is left to sessions that are dropped. Whoever is about to
// open one, and waits for a database that hangs, is not waited for.
const dropTime = time.Second

// sockets are the sessions that are open, and whoever is about to open one.
type sockets struct {
	// running counts sessions and goroutines. It grows from zero in enter alone,
	// which knows whether somebody waits for the last one already.
	running sync.WaitGroup

	mu   sync.Mutex
	open map[*session]struct{}
	// closing tells that no new ones are let in, dropping that open ones are
	// dropped.
	closing  bool
	dropping bool
}

var errLeaving = booking.Errorf(booking.ReasonShuttingDown, "this instance is going away: connect again")

func (s *sockets) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.running.Add(1)
	return true
}

// start is called between enter and the end of that request.
func (s *sockets) start(opened *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[*session]struct{}{}
	}
	s.open[opened] = struct{}{}
	if s.dropping {
		opened.dropNow()
	}
	s.running.Add(1)
	go opened.run()
}

// remove is called once for each start.
func (s *sockets) remove(ended *session) {
	defer s.running.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, ended)
}

// Open is how many sockets are open.
func (h *Handler) Open() int {
	h.sockets.mu.Lock()
	defer h.sockets.mu.Unlock()
	return len(h.sockets.open)
}

func (s *sockets) stopEntering() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
}

func (s *sockets) dropAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropping = true
	for open := range s.open {
		open.dropNow()
	}
}

// Close lets no new sockets in and waits until the open ones have ended, which
// feed.Hub.EndAll makes them do; those that are left when the context ends are
// dropped. net/http's own Shutdown knows nothing of sockets.
func (h *Handler) Close(ctx context.Context) {
	h.sockets.stopEntering()
	ended := make(chan struct{})
	go func() {
		h.sockets.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return
	case <-ctx.Done():
		h.sockets.dropAll()
	}
	select {
	case <-ended:
	case <-time.After(dropTime):
	}
}
