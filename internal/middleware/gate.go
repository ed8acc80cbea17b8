package middleware

import (
	"context"
	"math"
	"net/netip"
	"strconv"
	"sync/atomic"
	"time"

	"bookings/internal/booking"
	"bookings/internal/identity"
	"bookings/internal/ratelimit"
)

// Gate is the one place where callers are identified and limited. Every door
// asks it before it reads a body.
type Gate struct {
	Verifier *identity.Verifier
	Limiter  Limiter

	allowed, refused atomic.Int64
}

// Limiter counts calls: those of this process (ratelimit.Limiter), or of all
// instances (ratelimit.Shared).
type Limiter interface {
	// Take counts one call against the key and says whether it may pass.
	Take(ctx context.Context, key ratelimit.Key) ratelimit.Decision
}

// Admit says who calls and counts the call. The context that it returns holds
// the caller. Whether internal services may come in hangs on the door and on the
// side that the listener is for.
// It fails with TOKEN_MISSING, TOKEN_INVALID, TOKEN_EXPIRED or RATE_LIMITED.
func (g *Gate) Admit(ctx context.Context, credentials identity.Credentials, door Door) (context.Context, error) {
	record := From(ctx)
	services := record.side.admitsServices(door)
	if services {
		credentials.Certificate = record.certificate
	}
	caller, err := g.Verifier.Identify(ctx, credentials, services)
	return g.admit(ctx, caller, err)
}

// AdmitBearer is Admit for a token that came in another way than by header.
func (g *Gate) AdmitBearer(ctx context.Context, token string) (context.Context, error) {
	caller, err := g.Verifier.VerifyBearer(ctx, token)
	return g.admit(ctx, caller, err)
}

func (g *Gate) admit(ctx context.Context, caller identity.Caller, refused error) (context.Context, error) {
	record := From(ctx)
	switch {
	case refused != nil:
		// Counted against the address, never against a user.
		if err := g.take(ctx, record, ratelimit.AddressKey(record.peer)); err != nil {
			return ctx, err
		}
		return ctx, refused
	case caller.Actor.Role == booking.RoleInternal:
		record.setUser("internal")
		record.setService(caller.Service)
		return identity.NewContext(ctx, caller), nil
	}
	record.setUser(string(caller.Actor.Role) + "/" + caller.Actor.ID)
	return identity.NewContext(ctx, caller), g.take(ctx, record, ratelimit.UserKey(caller.Actor))
}

func (g *Gate) take(ctx context.Context, record *Record, key ratelimit.Key) error {
	decision := g.count(ctx, key)
	if decision.Limit == 0 {
		return nil
	}
	header := record.Header()
	header.Set("RateLimit-Limit", strconv.Itoa(decision.Limit))
	header.Set("RateLimit-Remaining", strconv.Itoa(decision.Remaining))
	header.Set("RateLimit-Reset", Seconds(decision.Reset))
	return verdict(decision)
}

// CountRefusal counts credentials that were refused after the answer, on a socket
// that is open, against the address that it came from. It fails with RATE_LIMITED.
func (g *Gate) CountRefusal(ctx context.Context, peer netip.Addr) error {
	return verdict(g.count(ctx, ratelimit.AddressKey(peer)))
}

func (g *Gate) count(ctx context.Context, key ratelimit.Key) ratelimit.Decision {
	decision := g.Limiter.Take(ctx, key)
	if decision.Allowed {
		g.allowed.Add(1)
	} else {
		g.refused.Add(1)
	}
	return decision
}

// Allowed is how many calls the limit has let pass.
func (g *Gate) Allowed() int64 { return g.allowed.Load() }

// Refused is how many calls the limit has not let pass.
func (g *Gate) Refused() int64 { return g.refused.Load() }

func verdict(decision ratelimit.Decision) error {
	if decision.Allowed {
		return nil
	}
	err := booking.Errorf(booking.ReasonRateLimited, "at most %d requests a minute", decision.Limit)
	err.RetryAfter = decision.RetryAfter
	return err
}

// Seconds spells a duration for headers that count whole seconds, rounded up.
func Seconds(d time.Duration) string {
	return strconv.Itoa(int(math.Ceil(d.Seconds())))
}
