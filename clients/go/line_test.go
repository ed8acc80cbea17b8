package bookings_test

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// line is what lies between a client and a server, which tests cut.
type line struct {
	listener net.Listener
	deaf     atomic.Bool // what the server says is lost

	mu    sync.Mutex
	to    string // nobody, where it is empty
	conns []net.Conn
}

func newLine(t *testing.T, to string) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{listener: listener, to: to}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { l.carry(conn, &all) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		l.lead("")
		all.Wait()
	})
	return l
}

func (l *line) url() string { return "http://" + l.listener.Addr().String() }

// lead cuts all connections; new ones lead to another place, and are heard.
func (l *line) lead(to string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to = to
	for _, conn := range l.conns {
		_ = conn.Close()
	}
	l.conns = nil
	l.deaf.Store(false)
}

func (l *line) carry(near net.Conn, all *sync.WaitGroup) {
	defer near.Close()
	far, err := l.connect(near)
	if err != nil {
		return
	}
	all.Go(func() {
		_, _ = io.Copy(far, near)
		_ = far.Close()
	})
	buffer := make([]byte, 1<<16)
	for {
		n, err := far.Read(buffer)
		if err != nil {
			return
		}
		if l.deaf.Load() {
			continue
		}
		if _, err := near.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (l *line) connect(near net.Conn) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	far, err := net.Dial("tcp", l.to)
	if err == nil {
		l.conns = append(l.conns, near, far)
	}
	return far, err
}
