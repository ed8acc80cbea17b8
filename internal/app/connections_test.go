package app

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"testing"
	"time"

	"bookings/internal/booking"
	"bookings/internal/pgtest"
)

// connect opens a connection that says nothing, and tells whether it was closed.
func (i *instance) connect() (closed func() bool) {
	i.t.Helper()
	conn, err := net.Dial("tcp", i.addr)
	if err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(func() { _ = conn.Close() })
	return func() bool {
		_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond))
		_, err := conn.Read(make([]byte, 1))
		return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
	}
}

func TestConnectionsAreBoundedInAllAndByAddress(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Settings){
		"in all":     func(s *Settings) { s.MaxConnections = 5 },
		"by address": func(s *Settings) { s.MaxEach = 5 },
		"in all, of a trusted proxy": func(s *Settings) {
			s.MaxConnections, s.MaxEach = 5, 1
			s.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := start(t, change)
			var held []func() bool
			for range 5 {
				held = append(held, i.connect())
			}
			pgtest.Eventually(t, "one too many is closed", i.connect())
			for n, closed := range held {
				if closed() {
					t.Errorf("connection %d was closed", n)
				}
			}
		})
	}
}

func TestAConnectionThatEndsGivesItsPlaceBack(t *testing.T) {
	t.Parallel()
	i := start(t, func(s *Settings) { s.MaxConnections = 2 })
	header := i.as(booking.RoleCustomer, "cara")
	for range 10 {
		i.awaitf(func() bool {
			request := i.get("/v1/bookings", header)
			request.Close = true
			response, err := http.DefaultTransport.RoundTrip(request)
			if err != nil {
				return false
			}
			_ = response.Body.Close()
			return response.StatusCode == http.StatusOK
		}, "a connection is taken")
	}
}
