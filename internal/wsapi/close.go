package wsapi

import (
	"context"
	"math/rand/v2"
	"time"
)

func (h *Handler) add(s *session) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return false
	}
	if h.open == nil {
		h.open = map[*session]struct{}{}
	}
	h.open[s] = struct{}{}
	return true
}

func (h *Handler) remove(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.open, s)
}

func (h *Handler) isClosing() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.closing
}

// Close ends all sockets with 1001, at random moments within spread, so that
// their clients do not all come back at once. It waits until they have ended or
// the context does. net/http's own Shutdown knows nothing of sockets.
func (h *Handler) Close(ctx context.Context, spread time.Duration) {
	for _, s := range h.stopAccepting() {
		delay := time.Duration(rand.Int64N(int64(spread) + 1))
		h.sessions.Go(func() { s.leave(ctx, delay) })
	}
	ended := make(chan struct{})
	go func() {
		h.sessions.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
}

func (h *Handler) stopAccepting() []*session {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closing = true
	sessions := make([]*session, 0, len(h.open))
	for s := range h.open {
		sessions = append(sessions, s)
	}
	return sessions
}

func (s *session) leave(ctx context.Context, delay time.Duration) {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-s.ctx.Done():
		return
	}
	s.end(closeGoingAway, "the server is going away")
}
