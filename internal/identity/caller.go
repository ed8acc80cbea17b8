// Package identity says who calls: a person, by a JWT, or a service of ours, by
// the internal token. Every door asks it in one place, before a body is read.
// It decides nothing about what the caller may do.
package identity

import (
	"context"
	"time"

	"bookings/internal/booking"
)

// Caller is somebody whose credentials were found good.
type Caller struct {
	Actor booking.Actor
	// Expires is when the token ends, without any leeway: an open socket or
	// stream ends then. Zero for internal services, which do not expire.
	Expires time.Time
	// Service is the name of an internal service, for the log: that in its
	// certificate, or else which token it has shown ("token-1").
	Service string
}

type contextKey struct{}

// NewContext returns ctx with the caller in it.
func NewContext(ctx context.Context, caller Caller) context.Context {
	return context.WithValue(ctx, contextKey{}, caller)
}

// From is the caller of the request that the context belongs to; the zero Caller,
// who owns nothing, before the gate has let anybody in.
func From(ctx context.Context) Caller {
	caller, _ := ctx.Value(contextKey{}).(Caller)
	return caller
}
