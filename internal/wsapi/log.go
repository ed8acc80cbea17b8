package wsapi

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/coder/websocket"

	"bookings/internal/middleware"
	"bookings/internal/requestid"
)

// sessionLog is what the line at a socket's end tells besides the code.
type sessionLog struct {
	began time.Time
	// caller are the attributes of the handshake's own line, to find it by.
	caller []any
	// events counts the entries sent; the writing goroutine's.
	events int
	// heard is the code that the peer ended the socket with, where it was the
	// first; guarded by the session's mutex.
	heard websocket.StatusCode
}

func newSessionLog(handshake context.Context) sessionLog {
	caller := append(middleware.From(handshake).Caller(), "requestId", requestid.From(handshake))
	return sessionLog{began: time.Now(), caller: caller}
}

// hangUp ends the session after the peer has, or has broken the protocol, and
// notes which of them it was.
func (s *session) hangUp(err error) {
	s.mu.Lock()
	if s.ctx.Err() == nil {
		s.log.heard = heardCode(err)
	}
	s.mu.Unlock()
	s.end(websocket.StatusProtocolError, "the frames are not WebSocket's")
}

// heardCode is the code of the peer's close frame; 1006, as RFC 6455 (section
// 7.4.1) has it, where the connection ended without one; 1002 where the library
// has refused a frame.
func heardCode(err error) websocket.StatusCode {
	var lost *net.OpError
	switch code := websocket.CloseStatus(err); {
	case code != -1:
		return code
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &lost):
		return websocket.StatusAbnormalClosure
	default:
		return websocket.StatusProtocolError
	}
}

// endCode is the code that the socket ended with, whoever ended it.
func (s *session) endCode() websocket.StatusCode {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.log.heard != 0 {
		return s.log.heard
	}
	if code := closeErrorOf(s.ctx).code; code != 0 {
		return code
	}
	return websocket.StatusAbnormalClosure // dropped
}

// logEnd writes the line, once all is over.
func (s *session) logEnd() {
	s.handler.Log.With(s.log.caller...).Info("socket closed", "code", strconv.Itoa(int(s.endCode())),
		"events", s.log.events, "durationMs", middleware.Milliseconds(time.Since(s.log.began)))
}
