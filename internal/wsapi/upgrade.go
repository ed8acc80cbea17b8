package wsapi

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"github.com/coder/websocket"

	"bookings/internal/booking"
	"bookings/internal/middleware"
)

// sendBuffer is how much the kernel takes of what a peer does not read, in
// bytes. Left to itself it takes megabytes: that would be a thousand slow
// readers' memory, and pings would wait behind it.
const sendBuffer = 64 << 10

// upgrade makes a WebSocket of a request, or answers why not.
//
// The origin has been checked by us, so that its refusal is ours. Compression
// stays off: it would cost each connection megabytes.
func (h *Handler) upgrade(w http.ResponseWriter, r *http.Request, by peer) (*websocket.Conn, *wire, error) {
	options := &websocket.AcceptOptions{
		Subprotocols:       []string{protocol},
		InsecureSkipVerify: true,
		CompressionMode:    websocket.CompressionDisabled,
		OnPongReceived:     func(context.Context, []byte) { by.ponged() },
	}
	answer := middleware.Wrap(w, r)
	taken := &wire{meter: newMeter(h.times().frame, by.broke), leave: h.times().write}
	var conn *websocket.Conn
	var err error
	// What the library refuses is said in our words, under its status.
	refusal := answer.Capture(func() { conn, err = websocket.Accept(hijacker{answer, taken}, r, options) })
	if refusal != nil {
		answer.ForceStatus(refusal.Status)
		h.WriteStatus(answer, r, booking.Errorf(booking.ReasonValidationFailed,
			"this path takes WebSocket handshakes alone (RFC 6455, version 13)"))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("upgrade: %w", err)
	}
	limitBuffer(answer.Hijacked())
	return conn, taken, nil
}

// wrapping is a connection around another: with TLS, or with its place counted.
type wrapping interface{ NetConn() net.Conn }

func limitBuffer(conn net.Conn) {
	for wrapped, ok := conn.(wrapping); ok; wrapped, ok = conn.(wrapping) {
		conn = wrapped.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(sendBuffer)
	}
}
