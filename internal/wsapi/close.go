package wsapi

import (
	"context"
	"errors"
	"time"

	"github.com/coder/websocket"
)

// Close codes of /ws. Those from 4000 are ours, in the range that RFC 6455 leaves
// to applications; they read like the HTTP statuses 401, 408 and 410.
const (
	closeGoingAway    = websocket.StatusGoingAway
	closeUnauthorized = websocket.StatusCode(4401)
	// closeTooSlow is for a reader so far behind that what it has not read yet was
	// pruned. One whose connection takes nothing for timing.write is dropped
	// without it, as a close frame would not leave either.
	closeTooSlow = websocket.StatusCode(4408)
	// closeOtherHistory is for a reader whose last entry is not in the feed any more.
	closeOtherHistory = websocket.StatusCode(4410)
)

// closeError is why a socket ends, as its close frame says it. The zero value
// is a connection that is dropped without one, since it would not arrive. It is
// an error so that it can be the cause of a context.
type closeError struct {
	code   websocket.StatusCode
	reason string
}

func (c closeError) Error() string { return c.reason }

// endFor gives the session a reason to end; the first one stands. It never waits:
// the writing goroutine closes the connection.
func (s *session) endFor(why closeError) {
	s.cancel(why)
	s.subscription.Wake()
}

func (s *session) end(code websocket.StatusCode, reason string) { s.endFor(closeError{code, reason}) }

// drop ends the session without a close frame.
func (s *session) drop() { s.endFor(closeError{}) }

// dropNow is drop that takes the connection from under whatever waits for it.
func (s *session) dropNow() {
	s.drop()
	_ = s.wire.Close()
}

func closeErrorOf(ctx context.Context) closeError {
	var why closeError
	_ = errors.As(context.Cause(ctx), &why)
	return why
}

// closeConn closes a connection and returns when it is closed, which takes most
// at most. The deadline is on the connection itself: the library would wait
// longer, and for ever for the rest of a frame that never comes. Until then it
// reads on, since a connection that is closed with bytes unread loses the close
// frame.
func closeConn(conn *websocket.Conn, wire *wire, why closeError, most time.Duration) {
	if why.code == 0 {
		_ = conn.CloseNow()
		return
	}
	wire.closeBy(time.Now().Add(most))
	_ = conn.Close(why.code, why.reason)
}
