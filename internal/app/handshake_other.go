//go:build !linux

package app

import "net"

// ignoreHandshakes is Linux's alone. Elsewhere a connection that is made in the
// moment in which the listener closes is reset.
func ignoreHandshakes(*net.TCPListener) error { return nil }
