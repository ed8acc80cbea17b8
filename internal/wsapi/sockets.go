package wsapi

import (
	"context"
	"sync"
	"time"

	"bookings/internal/booking"
)

// severTime is what is left to sessions that are cut. Whoever is about to open
// one, and waits for a database that hangs, is not waited for.
const severTime = time.Second

// sockets are the sessions that are open, and whoever is about to open one.
type sockets struct {
	// running counts goroutines. It grows from zero in enter alone, which knows
	// whether somebody waits for the last one already.
	running sync.WaitGroup

	mu   sync.Mutex
	open map[*session]struct{}
	// closing tells that no new ones are let in, cut that open ones are cut.
	closing bool
	cut     bool
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
	if s.cut {
		opened.sever()
	}
	s.running.Go(opened.run)
}

func (s *sockets) remove(ended *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, ended)
}

func (s *sockets) stopEntering() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
}

func (s *sockets) severAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut = true
	for open := range s.open {
		open.sever()
	}
}

// Close lets no new sockets in and waits until the open ones have ended, which
// feed.Hub.EndAll makes them do; those that are left when the context ends are
// cut. net/http's own Shutdown knows nothing of sockets.
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
		h.sockets.severAll()
	}
	select {
	case <-ended:
	case <-time.After(severTime):
	}
}
