package wsapi

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"bookings/internal/booking"
	"bookings/internal/feed"
	"bookings/internal/identity"
)

const (
	pingInterval = 25 * time.Second
	// silence is how long a peer may take to answer a ping.
	silence = 10 * time.Second
	// writeDeadline is how long one frame may take to leave.
	writeDeadline = 5 * time.Second
	// maxFrame is the size of the largest frame that a client may send, in bytes.
	maxFrame = 16 << 10
	// framesPerSecond is how often a client may send one.
	framesPerSecond = 10
)

// Close codes of /ws. 4401 and 4408 are ours, from the range that RFC 6455
// leaves to applications; they read like the HTTP statuses 401 and 408.
const (
	closeGoingAway    = websocket.StatusGoingAway
	closeUnauthorized = websocket.StatusCode(4401)
	closeTooSlow      = websocket.StatusCode(4408)
)

// session is one open socket: a goroutine that reads frames, one that writes
// entries, and two timers.
type session struct {
	handler *Handler
	conn    *websocket.Conn
	feed    *feed.Subscription
	limit   *rate.Limiter
	ctx     context.Context //nolint:containedctx // the session's own life, longer than any call
	cancel  context.CancelFunc
	done    sync.Once

	mu     sync.Mutex
	caller identity.Caller
	expiry *time.Timer
	ping   *time.Timer
}

func newSession(h *Handler, conn *websocket.Conn, caller identity.Caller, subscription *feed.Subscription) *session {
	ctx, cancel := context.WithCancel(context.Background())
	conn.SetReadLimit(maxFrame)
	return &session{
		handler: h, conn: conn, feed: subscription, caller: caller,
		limit: rate.NewLimiter(framesPerSecond, framesPerSecond),
		ctx:   ctx, cancel: cancel,
	}
}

// start runs a session until it ends, on goroutines of its own.
func (h *Handler) start(s *session) {
	if !h.add(s) {
		s.end(closeGoingAway, "the server is going away")
		s.feed.Close()
		return
	}
	h.sessions.Go(s.write)
	h.sessions.Go(s.read)
}

// end closes the socket with the first code given, and stops the session.
func (s *session) end(code websocket.StatusCode, reason string) {
	s.done.Do(func() {
		s.stopTimers()
		s.handler.remove(s)
		s.handler.sessions.Go(func() {
			_ = s.conn.Close(code, reason)
			s.cancel()
		})
	})
}

// drop cuts the connection, where no close frame would arrive.
func (s *session) drop() {
	s.done.Do(func() {
		s.stopTimers()
		s.handler.remove(s)
		_ = s.conn.CloseNow()
		s.cancel()
	})
}

// write sends stream.ready, then each entry.
func (s *session) write() {
	defer s.feed.Close()
	if err := s.send(s.ready()); err != nil {
		return
	}
	s.startTimers()
	for {
		entry, err := s.feed.Next(s.ctx)
		switch {
		case s.ctx.Err() != nil:
			return
		case booking.IsReason(err, booking.ReasonRateLimited), booking.IsReason(err, booking.ReasonSequenceOutOfRange):
			s.end(closeTooSlow, "read too slowly: reconnect with after")
			return
		case err != nil:
			s.handler.Log.Error("a feed cannot be read", "error", err)
			s.end(websocket.StatusInternalError, "internal error: reconnect with after")
			return
		}
		if s.send(entry.Envelope()) != nil {
			return
		}
	}
}

func (s *session) startTimers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return
	}
	s.ping = time.AfterFunc(pingInterval, s.sendPing)
	s.expiry = time.AfterFunc(time.Until(s.caller.Expires), s.expire)
}

func (s *session) stopTimers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ping != nil {
		s.ping.Stop()
		s.expiry.Stop()
	}
}

func (s *session) expire() { s.end(closeUnauthorized, string(booking.ReasonTokenExpired)) }

// sendPing drops a peer that does not answer.
func (s *session) sendPing() {
	ctx, cancel := context.WithTimeout(s.ctx, silence)
	defer cancel()
	if s.conn.Ping(ctx) != nil {
		s.drop()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ping.Reset(pingInterval)
}

func reasonOf(err error) string {
	var known *booking.Error
	if errors.As(err, &known) {
		return string(known.Reason)
	}
	return "INTERNAL"
}
