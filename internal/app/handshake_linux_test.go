package app

import (
	"context"
	"net"
	"testing"
	"time"
)

func TestNobodyConnectsToAListenerThatIsAboutToClose(t *testing.T) {
	t.Parallel()
	var config net.ListenConfig
	config.SetMultipathTCP(false)
	made, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := made.(*net.TCPListener)
	defer listener.Close()
	dial := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", listener.Addr().String())
		if err == nil {
			_ = conn.Close()
		}
		return err
	}
	if err := dial(); err != nil {
		t.Fatal(err)
	}
	if err := ignoreHandshakes(listener); err != nil {
		t.Fatal(err)
	}
	if err := dial(); err == nil {
		t.Error("a new one has connected")
	}
	if conn, err := listener.AcceptTCP(); err != nil { // the first
		t.Error(err)
	} else {
		_ = conn.Close()
	}
}
