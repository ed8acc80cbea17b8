package wsapi

import (
	"errors"
	"io"
	"os"
	"runtime"
	"testing"
	"time"

	"bookings/internal/feed"
	"bookings/internal/pgtest"
)

// Not parallel: it counts goroutines, its own and nobody else's.
func TestAnIdleSocketCostsOneGoroutine(t *testing.T) { //nolint:paralleltest // see above
	d := openDoor(t, hurry(unhurried))
	before := runtime.NumGoroutine()
	var all []*raw
	for range feed.MaxReaders {
		all = append(all, d.connectRaw())
	}
	d.publish(1)
	for _, r := range all {
		r.wantsEntries(1, 1)
		r.send(fin|opPing, "")
		if opcode, _, err := r.next(); opcode != opPong {
			t.Errorf("instead of a pong came %d, %v", opcode, err)
		}
	}
	// The handlers' goroutines, and those that have written and read, are given back
	// in a moment.
	pgtest.Eventually(t, "goroutines are given back", func() bool { return runtime.NumGoroutine() <= before+feed.MaxReaders })
}

// A connection that is closed with bytes unread is reset, and the close frame lost.
func TestAGoodbyeIsWaitedFor(t *testing.T) {
	t.Parallel()
	times := unhurried
	times.goodbye = time.Hour
	d := openDoor(t, hurry(times))
	r := d.connectRaw()
	d.feeds.EndAll(0)
	if opcode, _, err := r.next(); opcode != opClose {
		t.Errorf("instead of a close came %d, %v", opcode, err)
	}
	r.send(fin|opText, `{"type":"ping"}`) // it has not heard yet
	_ = r.conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if _, err := r.in.ReadByte(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection was not left open: %v", err)
	}
	_ = r.conn.SetReadDeadline(time.Now().Add(enough))
	r.send(fin|opClose, "\x03\xe9")
	if n, err := io.Copy(io.Discard, r.in); n != 0 || err != nil {
		t.Errorf("after the goodbye came %d bytes, %v", n, err)
	}
}
