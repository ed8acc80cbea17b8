package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"bookings/internal/booking"
	"bookings/internal/identity"
)

func (p program) token(_ context.Context, args []string) error {
	var sub, role string
	var ttl time.Duration
	_, err := p.flags("token", args, 0, func(f *flag.FlagSet) {
		f.StringVar(&sub, "sub", "", "the user's id, 1 to 128 characters")
		f.StringVar(&role, "role", "", "customer or provider")
		f.DurationVar(&ttl, "ttl", time.Hour, "how long it is good for")
	})
	if err != nil {
		return err
	}
	if err := p.refusePublicKeys("its tokens come from the identity provider: bookings token signs with JWT_SECRET alone"); err != nil {
		return err
	}
	secret := p.variable("JWT_SECRET")
	if len(secret) < 32 {
		return fmt.Errorf("%w: JWT_SECRET: must have 32 bytes or more", errUsage)
	}
	actor := booking.Actor{Role: booking.Role(role), ID: sub}
	token, err := identity.Sign([]byte(secret), actor, p.variable("JWT_ISSUER"), p.variable("JWT_AUDIENCE"), time.Now(), ttl)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	_, err = fmt.Fprintln(p.stdout, token)
	return err
}

// refusePublicKeys is for commands that sign tokens: with a public key, nobody
// but the identity provider can.
func (p program) refusePublicKeys(why string) error {
	for _, name := range []string{"JWT_PUBLIC_KEY_FILE", "JWT_JWKS_URL"} {
		if p.variable(name) != "" {
			return fmt.Errorf("%w: %s: %s", errUsage, name, why)
		}
	}
	return nil
}

// variable is one variable of the environment.
func (p program) variable(name string) string {
	value := ""
	for _, variable := range p.environ {
		if rest, ok := strings.CutPrefix(variable, name+"="); ok {
			value = rest
		}
	}
	return value
}
