// Package cabletest gives tests a line between a client and a server, to be cut, led
// elsewhere and struck deaf. Only tests import it.
package cabletest

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// Cable carries TCP connections to one address.
type Cable struct {
	listener net.Listener
	all      sync.WaitGroup
	deaf     atomic.Bool

	mu    sync.Mutex
	to    string // nobody, where it is empty
	conns []net.Conn
}

// New lays a cable to an address, until the end of the test.
func New(t testing.TB, to string) *Cable {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal("cabletest: ", err)
	}
	c := &Cable{listener: listener, to: to}
	c.all.Go(c.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		c.Lead("")
		c.all.Wait()
	})
	return c
}

// URL is where clients find the server.
func (c *Cable) URL() string { return "http://" + c.listener.Addr().String() }

// Deafen loses all that the server says, until the cable is cut.
func (c *Cable) Deafen() { c.deaf.Store(true) }

// Lead cuts all connections; new ones lead to another address, to nobody where it is
// empty, and are heard.
func (c *Cable) Lead(to string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.to = to
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
	c.deaf.Store(false)
}

func (c *Cable) accept() {
	for {
		client, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.all.Go(func() { c.carry(client) })
	}
}

func (c *Cable) carry(client net.Conn) {
	defer func() { _ = client.Close() }()
	server := c.connect(client)
	if server == nil {
		return
	}
	c.all.Go(func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	})
	_, _ = io.Copy(ear{client, &c.deaf}, server)
}

// connect dials under the lock, so that a cut finds every connection. It is nil where
// nobody is there.
func (c *Cable) connect(client net.Conn) net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	server, err := new(net.Dialer).DialContext(context.Background(), "tcp", c.to)
	if err != nil {
		return nil
	}
	c.conns = append(c.conns, client, server)
	return server
}

// ear takes what the server says to the client.
type ear struct {
	client io.Writer
	deaf   *atomic.Bool
}

func (e ear) Write(said []byte) (int, error) {
	if e.deaf.Load() {
		return len(said), nil
	}
	return e.client.Write(said)
}
