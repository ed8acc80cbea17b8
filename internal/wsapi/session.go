package wsapi

import (
	"context"
	"errors"
	"fmt"
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

// session is one open socket. At rest it is a goroutine that waits for frames and a
// timer. One that writes is there as long as there are entries to write, or a
// goodbye: thousands of sockets are idle at any time, and each goroutine is the
// half of what such a one costs. Whoever finds a reason to end the socket gives it
// by end; the writing goroutine then closes it, alone.
type session struct {
	handler      *Handler
	timing       timing
	conn         *websocket.Conn
	wire         *wire
	subscription *feed.Subscription
	log          sessionLog
	// peer is whom refused credentials count against.
	peer netip.Addr
	// ctx ends with the session; its cause is a closeError.
	ctx    context.Context //nolint:containedctx // the session's own life, longer than any call
	cancel context.CancelCauseFunc
	// goOn starts the writing goroutine anew.
	goOn func()

	mu     sync.Mutex
	caller identity.Caller
	pulse  pulse
}

func newSession(h *Handler, subscription *feed.Subscription) *session {
	ctx, cancel := context.WithCancelCause(context.Background())
	s := &session{
		handler: h, timing: h.times(), subscription: subscription,
		ctx: ctx, cancel: cancel,
	}
	s.goOn = func() { go s.deliver() }
	return s
}

// run is the writing goroutine, from the first frame to the first rest.
func (s *session) run() {
	// Nothing precedes stream.ready, so nobody reads before.
	if s.send(s.ready(s.subscription.Head)) == nil {
		s.startTimer()
		go s.listen()
	}
	s.deliver()
}

// deliver is the writing goroutine, from one rest to the next or to the end.
func (s *session) deliver() {
	for !s.subscription.Rest(s.ctx, s.goOn) {
		if err := s.deliverSome(); err != nil {
			s.endWith(err)
			s.close()
			return
		}
	}
}

// maxBatch is how many bytes are gathered for one write, and one entry more. Each
// write costs more than all else about an entry. It is little enough for the peer of
// a slow line to take it in the time for one frame.
const maxBatch = 8 << 10

// batches are buffers of writes, so that a socket at rest holds none.
var batches = sync.Pool{New: func() any { return &batch{} }}

type batch struct{ frames []byte }

// deliverSome waits for an entry and writes it with those that are there already.
func (s *session) deliverSome() error {
	b, _ := batches.Get().(*batch)
	defer batches.Put(b)
	b.frames = b.frames[:0]
	events := 0
	for more := true; more; more = len(b.frames) < maxBatch && s.subscription.Ready() {
		entry, err := s.subscription.Next(s.ctx)
		if err != nil {
			return err
		}
		envelope, err := entry.JSON()
		if err != nil {
			return err
		}
		b.frames = appendFrame(b.frames, opText, envelope)
		events++
	}
	s.log.events += events
	return s.write(b.frames)
}

// close is the end of the writing goroutine.
func (s *session) close() {
	defer s.handler.sockets.remove(s)
	s.stopTimer()
	// The user's place is free before the peer has said goodbye: who reconnects
	// at once is not one too many.
	s.subscription.Close()
	closeConn(s.conn, s.wire, closeErrorOf(s.ctx), s.timing.goodbye)
	s.logEnd()
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

// write writes whole frames. Where they do not leave in time the connection is
// dropped: a close frame would not leave either. That is all that is asked of a
// reader's pace. What it has not been sent yet waits in PostgreSQL, not here.
func (s *session) write(frames []byte) error {
	if _, err := s.wire.Write(frames); err != nil {
		s.drop()
		return fmt.Errorf("write a frame: %w", err)
	}
	return nil
}
