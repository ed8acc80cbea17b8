package wsapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/coder/websocket"

	"bookings/internal/booking"
	"bookings/internal/feed"
	"bookings/internal/identity"
)

// maxFrame is the size of the largest frame that a client may send, in bytes, and
// of the largest message.
const maxFrame = 16 << 10

// timing is how long things may take.
type timing struct {
	// ping is the time between two pings.
	ping time.Duration
	// silence is how long a peer may take to answer one.
	silence time.Duration
	// write is how long one frame may take to leave.
	write time.Duration
	// frame is how long a message may take to arrive whole.
	frame time.Duration
	// goodbye is how long a close may take, the peer's own close frame included.
	goodbye time.Duration
}

func (h *Handler) times() timing {
	if h.timing == (timing{}) {
		return timing{
			ping: 25 * time.Second, silence: 10 * time.Second,
			write: 5 * time.Second, frame: 5 * time.Second, goodbye: 5 * time.Second,
		}
	}
	return h.timing
}

// session is one open socket: a goroutine that writes entries, one that reads
// frames, and two timers. Whichever of them finds a reason to end the socket
// gives it by end; the writing goroutine then closes it, alone.
type session struct {
	handler      *Handler
	timing       timing
	conn         *websocket.Conn
	raw          net.Conn
	subscription *feed.Subscription
	log          sessionLog
	// peer is whom refused credentials count against.
	peer netip.Addr
	// ctx ends with the session; its cause is a closeError.
	ctx    context.Context //nolint:containedctx // the session's own life, longer than any call
	cancel context.CancelCauseFunc

	mu     sync.Mutex
	caller identity.Caller
	expiry *time.Timer
	ping   *time.Timer
}

func newSession(h *Handler, subscription *feed.Subscription) *session {
	ctx, cancel := context.WithCancelCause(context.Background())
	return &session{
		handler: h, timing: h.times(), subscription: subscription,
		ctx: ctx, cancel: cancel,
	}
}

// run is the writing goroutine, from the first frame to the last.
func (s *session) run() {
	defer s.handler.sockets.remove(s)
	// Nothing precedes stream.ready, so nobody reads before.
	if s.send(s.ready(s.subscription.Head)) == nil {
		s.startTimers()
		s.handler.sockets.running.Go(s.read)
		s.deliver()
	}
	s.stopTimers()
	// The user's place is free before the peer has said goodbye: who reconnects
	// at once is not one too many.
	s.subscription.Close()
	closeConn(s.conn, s.raw, closeErrorOf(s.ctx), s.timing.goodbye)
	s.logEnd()
}

// deliver writes each entry until the session ends.
func (s *session) deliver() {
	for {
		entry, err := s.subscription.Next(s.ctx)
		if err != nil {
			s.endWith(err)
			return
		}
		frame, err := entry.JSON()
		if err != nil {
			s.endWith(err)
			return
		}
		if s.write(frame) != nil {
			return
		}
		s.log.events++
	}
}

// endWith ends the session for the reason why there is no next entry. Where it
// has been ended already, that stands.
func (s *session) endWith(err error) {
	switch {
	case s.ctx.Err() != nil:
	case booking.IsReason(err, booking.ReasonShuttingDown):
		s.end(closeGoingAway, "the server is going away: reconnect with after")
	case errors.Is(err, feed.ErrOtherHistory):
		s.end(closeOtherHistory, "this feed's history has changed: reconnect")
	case booking.IsReason(err, booking.ReasonSequenceOutOfRange):
		s.end(closeTooSlow, "read too slowly: reconnect with after")
	default:
		s.handler.Log.Error("a feed cannot be read", "error", err)
		s.end(websocket.StatusInternalError, "internal error: reconnect with after")
	}
}

// write writes one frame. Where it does not leave in time the connection is
// dropped: a close frame would not leave either. That is all that is asked of a
// reader's pace. What it has not been sent yet waits in PostgreSQL, not here.
func (s *session) write(frame []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.timing.write)
	defer cancel()
	if err := s.conn.Write(ctx, websocket.MessageText, frame); err != nil {
		s.drop()
		return fmt.Errorf("write a frame: %w", err)
	}
	return nil
}

func (s *session) startTimers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ping = time.AfterFunc(s.timing.ping, s.sendPing)
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

// expire ends the session unless it was renewed while this was on its way.
func (s *session) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if left := time.Until(s.caller.Expires); left > 0 {
		s.restart(s.expiry, left)
		return
	}
	s.end(closeUnauthorized, string(booking.ReasonTokenExpired))
}

// sendPing drops a peer that does not answer.
func (s *session) sendPing() {
	ctx, cancel := context.WithTimeout(context.Background(), s.timing.silence)
	defer cancel()
	if s.conn.Ping(ctx) != nil {
		s.drop()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.restart(s.ping, s.timing.ping)
}

// restart sets a timer again, unless the session has stopped its timers.
func (s *session) restart(timer *time.Timer, d time.Duration) {
	if s.ctx.Err() == nil {
		timer.Reset(d)
	}
}
