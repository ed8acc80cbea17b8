package main

import (
	"net"
	"testing"

	"bookings/internal/app"
)

func TestTheAddressOfDevCanBeOpened(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ listens, certificate, want string }{
		{"127.0.0.1:8080", "", "http://127.0.0.1:8080"},
		{"[::1]:8080", "", "http://[::1]:8080"},
		{"[::]:8080", "", "http://localhost:8080"},
		{"0.0.0.0:8080", "server.pem", "https://localhost:8080"},
	} {
		addr, err := net.ResolveTCPAddr("tcp", c.listens)
		if err != nil {
			t.Fatal(err)
		}
		if got := address(app.Settings{TLSCert: c.certificate}, addr); got != c.want {
			t.Errorf("listening at %s is opened at %s, want %s", c.listens, got, c.want)
		}
	}
}
