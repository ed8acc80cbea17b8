//go:build !unix

package embeddedpg

import (
	"context"
	"errors"
)

// Cluster is never made here: the sockets, locks and accounts of the real one
// are those of Unix.
type Cluster struct{}

// Start fails, and says what to do instead.
func Start(context.Context, Options) (*Cluster, error) {
	return nil, errors.New("embeddedpg: a private PostgreSQL is not supported on this system: start one yourself and set DATABASE_URL")
}

// URL is empty.
func (*Cluster) URL(string) string { return "" }

// Done is never closed.
func (*Cluster) Done() <-chan struct{} { return nil }

// Stop does nothing.
func (*Cluster) Stop() error { return nil }
