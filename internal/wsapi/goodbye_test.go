package wsapi

import (
	"io"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// onlySession is the session of the one socket that is open.
func (d *door) onlySession() *session {
	d.t.Helper()
	d.handler.sockets.mu.Lock()
	defer d.handler.sockets.mu.Unlock()
	for s := range d.handler.sockets.open {
		return s
	}
	d.t.Fatal("no socket is open")
	return nil
}

// late are the writes that may be on their way when a socket closes.
var late = map[string]func(t *testing.T, s *session){
	"an answer": func(t *testing.T, s *session) {
		t.Helper()
		_ = s.send(s.reply([]byte(`{"type":"authenticate","token":"` + token(t) + `"}`)))
	},
	"a refusal": func(_ *testing.T, s *session) { _ = s.send(s.reply([]byte(`{"type":"authenticate"}`))) },
	"a ping":    func(_ *testing.T, s *session) { _ = s.write(appendFrame(nil, opPing, nil)) },
}

// ends are the server's reasons to close a socket.
var ends = map[string]struct {
	end  func(d *door, s *session)
	code websocket.StatusCode
}{
	"the server stops":  {func(d *door, _ *session) { d.feeds.EndAll(0) }, closeGoingAway},
	"the token expires": {func(_ *door, s *session) { s.expire() }, closeUnauthorized},
}

// expire makes the session's token one that has expired just now.
func (s *session) expire() {
	s.mu.Lock()
	s.caller.Expires = time.Now()
	s.mu.Unlock()
	s.tick()
}

// A browser that is sent a frame after the close frame reports 1006 in its place, a
// broken connection (RFC 6455, section 5.5.1).
func TestNothingFollowsTheCloseFrame(t *testing.T) {
	t.Parallel()
	for why, reason := range ends {
		for what, write := range late {
			t.Run(why+", "+what, func(t *testing.T) {
				t.Parallel()
				times := unhurried
				times.goodbye = time.Hour
				d := openDoor(t, hurry(times))
				r := d.connectRaw()
				s := d.onlySession()
				reason.end(d, s)
				r.wantsCloseFrame(reason.code)
				write(t, s)
				r.send(fin|opClose, "\x03\xe8")
				if after, err := io.ReadAll(r.in); len(after) != 0 || err != nil {
					t.Errorf("after the close frame came %q, %v", after, err)
				}
			})
		}
	}
}

// Answers go out while the socket closes, as many as there is time for.
func TestAnAnswerComesBeforeTheCloseFrameOrNotAtAll(t *testing.T) {
	t.Parallel()
	times := unhurried
	times.goodbye = time.Hour
	d := openDoor(t, hurry(times))
	r := d.connectRaw()
	s := d.onlySession()
	closed, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		answerUntil(s, closed)
	}()
	if opcode, _, err := r.next(); opcode != opText {
		t.Fatalf("instead of an answer came %d, %v", opcode, err)
	}
	d.feeds.EndAll(0)
	r.wantsCloseFrame(closeGoingAway)
	close(closed)
	<-stopped
	r.send(fin|opClose, "\x03\xe8")
	if after, err := io.ReadAll(r.in); len(after) != 0 || err != nil {
		t.Errorf("after the close frame came %q, %v", after, err)
	}
}

// answerUntil answers pings, and one more once it is told to stop.
func answerUntil(s *session, stop <-chan struct{}) {
	for stopping := false; !stopping; {
		select {
		case <-stop:
			stopping = true
		default:
		}
		_ = s.send(s.reply([]byte(`{"type":"ping"}`)))
	}
}
