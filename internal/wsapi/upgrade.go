package wsapi

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"

	"github.com/coder/websocket"

	"bookings/internal/booking"
)

// sendBuffer is how much the kernel takes of what a peer does not read, in
// bytes. Left to itself it takes megabytes: that would be a thousand slow
// readers' memory, and pings would wait behind it.
const sendBuffer = 64 << 10

// upgrade makes a WebSocket of a request, or answers why not. control is told
// of each control frame and says whether it is to be answered; it may be nil.
//
// The origin has been checked by us, so that its refusal is ours. Compression
// stays off: it would cost each connection megabytes.
func (h *Handler) upgrade(w http.ResponseWriter, r *http.Request, control func() bool) (*websocket.Conn, net.Conn, error) {
	taken := &upgradeWriter{ResponseWriter: w}
	options := &websocket.AcceptOptions{
		Subprotocols:       []string{protocol},
		InsecureSkipVerify: true,
		CompressionMode:    websocket.CompressionDisabled,
	}
	if control != nil {
		options.OnPingReceived = func(context.Context, []byte) bool { return control() }
		options.OnPongReceived = func(context.Context, []byte) { control() }
	}
	conn, err := websocket.Accept(taken, r, options)
	if err != nil {
		if taken.refused != 0 {
			refusal := booking.Errorf(booking.ReasonValidationFailed, "this path takes WebSocket handshakes alone (RFC 6455, version 13)")
			h.Write(&statusWriter{ResponseWriter: w, status: taken.refused}, r, refusal)
		}
		return nil, nil, fmt.Errorf("upgrade: %w", err)
	}
	limitBuffer(taken.conn)
	return conn, taken.conn, nil
}

func limitBuffer(conn net.Conn) {
	if secured, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = secured.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(sendBuffer)
	}
}

// upgradeWriter keeps the connection that is taken over, which the library does
// not show, and holds back what the library says when it refuses.
type upgradeWriter struct {
	http.ResponseWriter
	conn    net.Conn
	refused int
}

// WriteHeader implements http.ResponseWriter.
func (w *upgradeWriter) WriteHeader(status int) {
	if status >= http.StatusBadRequest {
		w.refused = status
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *upgradeWriter) Write(body []byte) (int, error) {
	if w.refused != 0 {
		return len(body), nil
	}
	return w.ResponseWriter.Write(body)
}

// Hijack implements http.Hijacker.
func (w *upgradeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := http.NewResponseController(w.ResponseWriter).Hijack()
	w.conn = conn
	return conn, buffers, err
}

// statusWriter answers with the status that the library chose.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(int) { w.ResponseWriter.WriteHeader(w.status) }
