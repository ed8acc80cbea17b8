package app

import (
	"context"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// proxy stands between a server and its PostgreSQL and fails as networks do.
type proxy struct {
	listener net.Listener

	mu               sync.Mutex
	network, address string
	conns            []net.Conn
	stalled          chan struct{} // closed while data pass
	serving          sync.WaitGroup
	// refusing is set while new connections are broken.
	refusing bool
}

func (p *proxy) refuse(refusing bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusing = refusing
}

func (p *proxy) refuses() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refusing
}

// newProxy returns a proxy and the address of the database behind it.
func newProxy(t testing.TB, databaseURL string) (*proxy, string) {
	t.Helper()
	config, err := pgconn.ParseConfig(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{stalled: make(chan struct{})}
	close(p.stalled)
	p.network, p.address = pgconn.NetworkAddress(config.Host, config.Port)
	if p.listener, err = new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	p.serving.Go(p.serve)
	t.Cleanup(p.close)
	through := url.URL{
		Scheme: "postgres", User: url.UserPassword(config.User, config.Password), Host: p.listener.Addr().String(),
		Path: "/" + config.Database, RawQuery: "sslmode=disable",
	}
	return p, through.String()
}

func (p *proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		if p.refuses() {
			_ = client.Close()
			continue
		}
		server, err := p.dial()
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, server)
		p.mu.Unlock()
		p.serving.Go(func() { p.copy(server, client) })
		p.serving.Go(func() { p.copy(client, server) })
	}
}

func (p *proxy) dial() (net.Conn, error) {
	p.mu.Lock()
	network, address := p.network, p.address
	p.mu.Unlock()
	return new(net.Dialer).DialContext(context.Background(), network, address)
}

// leadTo breaks all connections; new ones lead to another database.
func (p *proxy) leadTo(t testing.TB, databaseURL string) {
	t.Helper()
	config, err := pgconn.ParseConfig(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.network, p.address = pgconn.NetworkAddress(config.Host, config.Port)
	for _, conn := range p.conns {
		_ = conn.Close()
	}
}

// copy passes data on while the proxy does not stall.
func (p *proxy) copy(to, from net.Conn) {
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		<-p.passing()
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (p *proxy) passing() chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stalled
}

// stall lets connections stand and passes nothing on, as a database that hangs
// or a cable that is cut.
func (p *proxy) stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled = make(chan struct{})
}

// resume ends a stall.
func (p *proxy) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.stalled)
}

// cut breaks all connections and refuses new ones, as a database that is down.
func (p *proxy) cut() {
	_ = p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range p.conns {
		_ = conn.Close()
	}
}

func (p *proxy) close() {
	p.cut()
	select {
	case <-p.passing():
	default:
		p.resume()
	}
	p.serving.Wait()
}
