package wsapi

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"bookings/internal/middleware"
)

const (
	// aheadBuffer holds most of what a client says; the rest of a message is read past
	// it. readBuffer is the library's, which need not keep what is kept already.
	aheadBuffer = 128
	readBuffer  = 16
	// writeBuffer holds the library's largest frame: it writes control frames alone.
	writeBuffer = 128

	opText = 0x1
	opPing = 0x9
)

// peer is who is at the other end of a connection.
type peer struct {
	// broke is told of a rule that was broken, ponged of each pong.
	broke  func(closeError)
	ponged func()
}

// wire is the connection under the library: what is read goes through the meter.
// What is written is whole frames, and each call's go out together: the library's
// answers to control frames between ours, which do not go through the library. It
// would hold a buffer for each socket, and spend contexts on each frame.
type wire struct {
	net.Conn
	meter
	ahead ahead

	// leave is how long frames may take to leave.
	leave   time.Duration
	closing atomic.Bool

	// turn is held by who writes: several goroutines do, and the library.
	turn        sync.Mutex
	saidGoodbye bool
}

// errQuiet is that the client has said nothing more for now. To the library it is an
// error of the connection between two frames, and hands the goroutine back to us.
var errQuiet = errors.New("nothing has come yet")

// Read implements io.Reader. Inside of a message it waits for what follows, but not
// for the next message: wait does. Once the connection is being closed it waits for
// the client's goodbye.
func (w *wire) Read(p []byte) (int, error) {
	if !w.closing.Load() && !w.flooded && !w.frames.within() && w.ahead.isEmpty() {
		return 0, errQuiet
	}
	return w.meter.Read(p)
}

// wait waits until something has come, or nothing will: reading says so. It is as
// shallow as can be, since a goroutine that waits here, one for each socket, has the
// smallest stack there is, and from within the library it would have twice that.
func (w *wire) wait() { w.ahead.fill() }

// ahead is the beginning of what the client says next. Who closes the connection
// reads on where another goroutine waits still.
type ahead struct {
	conn net.Conn

	mu     sync.Mutex
	buffer [aheadBuffer]byte
	left   []byte
	err    error
}

func (a *ahead) isEmpty() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.left) == 0 && a.err == nil
}

func (a *ahead) fill() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.left) == 0 && a.err == nil {
		var n int
		n, a.err = a.conn.Read(a.buffer[:])
		a.left = a.buffer[:n]
	}
}

// Read implements io.Reader.
func (a *ahead) Read(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case len(a.left) > 0:
		n := copy(p, a.left)
		a.left = a.left[n:]
		return n, nil
	case a.err != nil:
		return 0, a.err
	}
	return a.conn.Read(p) //nolint:wrapcheck // a connection's own error
}

// Write writes frames, and fails where they do not leave in time. What is late for the
// close frame goes nowhere (RFC 6455, section 5.5.1): a browser would take it for a
// broken connection, and forget our code. It is no error, since the socket ends already.
func (w *wire) Write(frames []byte) (int, error) {
	w.turn.Lock()
	defer w.turn.Unlock()
	if w.saidGoodbye {
		return len(frames), nil
	}
	w.saidGoodbye = frames[0]&maskOpcode == opClose
	if !w.closing.Load() {
		_ = w.SetWriteDeadline(time.Now().Add(w.leave))
	}
	return w.Conn.Write(frames) //nolint:wrapcheck // a connection's own error
}

// closeBy bounds what the connection is still used for.
func (w *wire) closeBy(deadline time.Time) {
	w.closing.Store(true)
	_ = w.SetDeadline(deadline)
}

// hijacker lets the library take over a connection with a wire around it. net/http's
// buffers, eight times as large, are left behind.
type hijacker struct {
	*middleware.ResponseWriter
	wire *wire
}

// Hijack implements http.Hijacker.
func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := h.ResponseWriter.Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take a connection over: %w", err)
	}
	h.wire.Conn, h.wire.in, h.wire.ahead.conn = conn, &h.wire.ahead, conn
	// What the client sent along with its handshake is in the buffer.
	early, _ := buffers.Peek(buffers.Reader.Buffered())
	h.wire.ahead.left = slices.Clone(early)
	small := bufio.NewReadWriter(bufio.NewReaderSize(h.wire, readBuffer), bufio.NewWriterSize(h.wire, writeBuffer))
	return h.wire, small, nil
}

var _ http.Hijacker = hijacker{}

// appendFrame spells a server's frame, which is one message and not masked (RFC 6455,
// section 5.2).
func appendFrame(frames []byte, opcode byte, payload []byte) []byte {
	frames = append(frames, bitFin|opcode)
	switch length := len(payload); {
	case length < 126:
		frames = append(frames, byte(length))
	case length <= 0xffff:
		frames = binary.BigEndian.AppendUint16(append(frames, 126), uint16(length))
	default:
		frames = binary.BigEndian.AppendUint64(append(frames, 127), uint64(length))
	}
	return append(frames, payload...)
}
