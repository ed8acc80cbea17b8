package app

import (
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"bookings/internal/ratelimit"
)

// connections bounds how many connections a listener holds, in all and by
// address: each costs memory before its peer has shown who it is. One too many is
// closed at once. Trusted proxies bring the connections of many people, so only
// the bound in all is for them.
type connections struct {
	net.Listener

	// most and each are the bounds, 0 for none.
	most, each int
	trusted    []netip.Prefix
	log        *slog.Logger
	warnings   rate.Sometimes

	mu   sync.Mutex
	open int
	by   map[ratelimit.Key]int
}

func boundConnections(l net.Listener, s Settings, log *slog.Logger) *connections {
	return &connections{
		Listener: l, most: s.MaxConnections, each: s.MaxEach, trusted: s.TrustedProxies, log: log,
		warnings: rate.Sometimes{Interval: time.Minute},
		by:       map[ratelimit.Key]int{},
	}
}

// Accept waits for a connection that is within the bounds.
func (c *connections) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err //nolint:wrapcheck // net/http looks at its type
		}
		peer := peerOf(conn)
		if c.enter(peer) {
			return &connection{Conn: conn, leave: sync.OnceFunc(func() { c.leave(peer) })}, nil
		}
		_ = conn.Close()
		c.warnings.Do(func() {
			c.log.Warn("connections are refused: there are too many, in all (MAX_CONNECTIONS) or of one address (MAX_CONNECTIONS_PER_ADDRESS)", "peer", peer.String())
		})
	}
}

func (c *connections) enter(peer netip.Addr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := ratelimit.AddressKey(peer)
	tooMany := c.most > 0 && c.open >= c.most
	tooManyEach := c.each > 0 && c.by[key] >= c.each && !c.isTrusted(peer)
	if tooMany || tooManyEach {
		return false
	}
	c.open++
	c.by[key]++
	return true
}

func (c *connections) leave(peer netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := ratelimit.AddressKey(peer)
	c.open--
	if c.by[key]--; c.by[key] == 0 {
		delete(c.by, key)
	}
}

func (c *connections) isTrusted(peer netip.Addr) bool {
	return slices.ContainsFunc(c.trusted, func(network netip.Prefix) bool { return network.Contains(peer) })
}

// peerOf is the zero address where a connection has none, as on a Unix socket.
func peerOf(conn net.Conn) netip.Addr {
	tcp, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap()
}

// connection gives its place back when it is closed.
type connection struct {
	net.Conn

	leave func()
}

// NetConn is the connection itself, as of a tls.Conn.
func (c *connection) NetConn() net.Conn { return c.Conn }

// Close closes the connection.
func (c *connection) Close() error {
	c.leave()
	return c.Conn.Close() //nolint:wrapcheck // net/http looks at its type
}
