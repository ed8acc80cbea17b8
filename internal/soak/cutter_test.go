package soak

import (
	"bytes"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// cutter stands between one server and PostgreSQL, and cuts connections in the
// middle of a commit when it is told to.
type cutter struct {
	listener net.Listener
	// socket is PostgreSQL's.
	socket string
	// told are the cuts to come, each for one commit.
	told  chan cut
	conns sync.WaitGroup
	done  atomic.Int64
}

// cut is how a connection ends at its COMMIT.
type cut struct {
	name string
	// forward tells that PostgreSQL gets the COMMIT.
	forward bool
	// await tells that PostgreSQL answers it; the server gets no answer.
	await bool
	// then is done before the server can see that the connection is cut.
	then func()
}

// cuts are the places at which a commit can be cut.
var cuts = []cut{
	{name: "before the commit"},
	{name: "within the commit", forward: true},
	{name: "between the commit and its answer", forward: true, await: true},
}

// newCutter listens before PostgreSQL at a URL that names a socket.
func newCutter(t *testing.T, database string) *cutter {
	t.Helper()
	address, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	query := address.Query()
	c := &cutter{socket: query.Get("host") + "/.s.PGSQL." + query.Get("port"), told: make(chan cut, 100)}
	if c.listener, err = new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	c.conns.Go(c.accept)
	t.Cleanup(func() { _ = c.listener.Close(); c.conns.Wait() })
	return c
}

// url is database through the cutter.
func (c *cutter) url(database string) string {
	before, _, _ := strings.Cut(database, "?")
	through, _ := url.Parse(before)
	through.Host = c.listener.Addr().String()
	through.RawQuery = "sslmode=disable"
	return through.String()
}

// tell has one of the next commits cut.
func (c *cutter) tell(how cut) { c.told <- how }

// forget takes back what no commit has met yet.
func (c *cutter) forget() {
	for {
		select {
		case <-c.told:
		default:
			return
		}
	}
}

func (c *cutter) accept() {
	for {
		server, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.conns.Go(func() { c.carry(server) })
	}
}

// carry carries one connection until either side ends it, or a cut does.
func (c *cutter) carry(server net.Conn) {
	postgres, err := net.Dial("unix", c.socket)
	if err != nil {
		_ = server.Close()
		return
	}
	line := &line{server: server, postgres: postgres, answered: make(chan struct{})}
	c.conns.Go(line.answers)
	defer line.close()
	buffer := make([]byte, 1<<16)
	for {
		n, err := server.Read(buffer)
		if err != nil {
			return
		}
		if how, cut := c.cutAt(buffer[:n]); cut {
			line.cut(how, buffer[:n])
			c.done.Add(1)
			return
		}
		if _, err := postgres.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// cutAt says how to cut at what a server sends, where it is a COMMIT. pgx sends
// one as a message of its own.
func (c *cutter) cutAt(sent []byte) (cut, bool) {
	if !bytes.HasSuffix(sent, []byte("commit\x00")) {
		return cut{}, false
	}
	select {
	case how := <-c.told:
		return how, true
	default:
		return cut{}, false
	}
}

// line is one connection.
type line struct {
	server, postgres net.Conn
	// silent tells that answers no longer reach the server.
	silent   atomic.Bool
	answered chan struct{}
}

// answers carries what PostgreSQL says, up to the answer that is kept back.
func (l *line) answers() {
	defer close(l.answered)
	buffer := make([]byte, 1<<16)
	for {
		n, err := l.postgres.Read(buffer)
		if err != nil || l.silent.Load() {
			if err != nil {
				l.close()
			}
			return
		}
		if _, err := l.server.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// cut ends the line at a COMMIT.
func (l *line) cut(how cut, commit []byte) {
	if !how.forward {
		return
	}
	l.silent.Store(true)
	_, _ = l.postgres.Write(commit)
	if how.await {
		<-l.answered
	}
	if how.then != nil {
		how.then()
	}
}

func (l *line) close() {
	_ = l.server.Close()
	_ = l.postgres.Close()
}
