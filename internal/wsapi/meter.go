package wsapi

import (
	"encoding/binary"
	"io"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"
)

const (
	// framesPerSecond is how many frames a client may send: messages, their
	// fragments, pings and pongs.
	framesPerSecond = 10
	// Bits of a frame's header (RFC 6455, section 5.2).
	bitFin     = 0x80
	bitControl = 0x08
	maskOpcode = 0x0f
	opClose    = 0x08
	bitMasked  = 0x80
	maskLength = 0x7f
	// maxHeader is the length of the longest header, in bytes.
	maxHeader = 14
)

var (
	errTooMany = closeError{websocket.StatusPolicyViolation, "more than 10 frames a second"}
	errTooLate = closeError{websocket.StatusPolicyViolation, "a frame did not arrive whole within 5 seconds"}
)

// meter is what is read of a connection, on its way to the library, which puts
// fragments together by itself and tells nobody of them: millions of empty ones
// would pass unseen. So it follows the frames through the bytes that are read, and
// ends the session for one too many and for one that is not whole in time. From one
// too many on the library is given nothing more. It is read by one goroutine at a
// time.
type meter struct {
	// in is what the client sends, beginning with what came with the handshake.
	in     io.Reader
	limit  *rate.Limiter
	within time.Duration
	// broke ends the session.
	broke func(closeError)

	frames  frames
	flooded bool
	// late fires where a message is not whole in time; nil between messages.
	late *time.Timer
}

func newMeter(within time.Duration, broke func(closeError)) meter {
	return meter{limit: rate.NewLimiter(framesPerSecond, framesPerSecond), within: within, broke: broke}
}

// Read implements io.Reader.
func (m *meter) Read(p []byte) (int, error) {
	if m.flooded {
		return m.drain(p)
	}
	n, err := m.in.Read(p)
	whole := m.frames.whole
	counted := m.frames.follow(p[:n], m.limit.Allow)
	m.watch(m.frames.whole > whole)
	if counted == n {
		return n, err
	}
	m.flooded = true
	m.broke(errTooMany)
	m.frames.follow(p[counted:n], always)
	if counted > 0 {
		return counted, nil
	}
	return m.drain(p)
}

// drain reads on, up to the client's goodbye, since a connection that is closed
// with bytes unread loses the close frame. closeConn's deadline ends it.
func (m *meter) drain(p []byte) (int, error) {
	for !m.frames.closed {
		n, err := m.in.Read(p)
		if err != nil {
			return 0, err
		}
		m.frames.follow(p[:n], always)
	}
	return 0, io.EOF
}

func always() bool { return true }

// watch starts the clock for a message that is not whole yet. completed tells
// that another has become so: the clock is not that one's.
func (m *meter) watch(completed bool) {
	if m.late != nil && (completed || !m.frames.within()) {
		m.late.Stop()
		m.late = nil
	}
	if m.late == nil && m.frames.within() {
		m.late = time.AfterFunc(m.within, func() { m.broke(errTooLate) })
	}
}

// frames is where in the client's frames the reading has come to.
type frames struct {
	header [maxHeader]byte
	// known is how much of a header has been read.
	known int
	// left is how much of the payload has not.
	left uint64
	// open tells that fragments of the message follow.
	open bool
	// whole counts messages and control frames outside of messages.
	whole int
	// closed tells that the client has said goodbye.
	closed bool
}

// within tells that a message or a frame is not whole yet.
func (f *frames) within() bool { return f.open || f.known > 0 || f.left > 0 }

// follow reads on. It stops before a frame that is not allowed, and returns how
// many bytes come before that. A goodbye is always allowed.
func (f *frames) follow(p []byte, allow func() bool) (n int) {
	for n < len(p) {
		switch {
		case f.left > 0:
			step := min(f.left, uint64(len(p)-n))
			f.left -= step
			n += int(step)
		case f.known == 0 && p[n]&maskOpcode != opClose && !allow():
			return n
		default:
			f.header[f.known] = p[n]
			f.known++
			n++
		}
		f.step()
	}
	return n
}

// step notes what has come to its end.
func (f *frames) step() {
	switch {
	case f.left > 0 || f.known > 0 && f.known < f.length():
		return
	case f.known > 0:
		f.begin()
	}
	if f.left == 0 && !f.open {
		f.whole++
	}
}

// begin takes the header, which is complete.
func (f *frames) begin() {
	f.known = 0
	if f.header[0]&bitControl == 0 {
		f.open = f.header[0]&bitFin == 0
	}
	f.closed = f.closed || f.header[0]&maskOpcode == opClose
	switch short := f.header[1] & maskLength; short {
	case 126:
		f.left = uint64(binary.BigEndian.Uint16(f.header[2:]))
	case 127:
		f.left = binary.BigEndian.Uint64(f.header[2:])
	default:
		f.left = uint64(short)
	}
}

// length is how long the header is, as far as is known.
func (f *frames) length() int {
	length := 2
	if f.known < length {
		return length
	}
	switch f.header[1] & maskLength {
	case 126:
		length += 2
	case 127:
		length += 8
	}
	if f.header[1]&bitMasked != 0 {
		length += 4
	}
	return length
}
