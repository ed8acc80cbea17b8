package wsapi

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/coder/websocket"
)

// Close codes of /ws. 4401 and 4408 are ours, from the range that RFC 6455
// leaves to applications; they read like the HTTP statuses 401 and 408.
const (
	closeGoingAway    = websocket.StatusGoingAway
	closeUnauthorized = websocket.StatusCode(4401)
	closeTooSlow      = websocket.StatusCode(4408)
)

// ending is why a socket ends, as the peer is told. The zero value is a
// connection that is cut, since nothing would arrive.
type ending struct {
	code   websocket.StatusCode
	reason string
}

func (e ending) Error() string { return e.reason }

// end gives the session a reason to end; the first one stands.
func (s *session) end(code websocket.StatusCode, reason string) { s.cancel(ending{code, reason}) }

// drop ends the session without a word.
func (s *session) drop() { s.cancel(ending{}) }

// sever cuts the connection under whatever waits for it.
func (s *session) sever() {
	s.drop()
	_ = s.raw.Close()
}

func endingOf(ctx context.Context) ending {
	var why ending
	_ = errors.As(context.Cause(ctx), &why)
	return why
}

// hangUp closes a connection and returns when it is closed, which takes most at
// most. The deadline is on the connection itself: the library would wait longer,
// and for ever for the rest of a frame that never comes. Until then it reads on,
// since a connection that is closed with bytes unread loses the close frame.
func hangUp(conn *websocket.Conn, raw net.Conn, why ending, most time.Duration) {
	if why.code == 0 {
		_ = conn.CloseNow()
		return
	}
	_ = raw.SetDeadline(time.Now().Add(most))
	_ = conn.Close(why.code, why.reason)
}
