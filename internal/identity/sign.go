package identity

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"bookings/internal/booking"
)

// Sign makes a JWT (HS256) for an actor, as an identity provider would: for
// `bookings token`, `bookings dev` and tests. It is good from issued, cut to
// whole seconds, for ttl, which is at least one second. An empty issuer or
// audience leaves its claim out.
//
// It refuses an empty secret and an actor that no token may name: an internal
// service, or an id that is not 1 to 128 characters without control characters.
func Sign(secret []byte, actor booking.Actor, issuer, audience string, issued time.Time, ttl time.Duration) (string, error) {
	switch {
	case len(secret) == 0:
		return "", errors.New("sign token: the secret is empty")
	case !isPerson(actor):
		return "", errors.New("sign token: the role must be customer or provider, and the subject 1 to 128 characters without control characters")
	case ttl < time.Second:
		return "", errors.New("sign token: the time to live must be at least a second")
	}
	payload := jwt.MapClaims{
		"sub":  actor.ID,
		"role": actor.Role,
		"iat":  issued.Unix(),
		"exp":  issued.Add(ttl).Unix(),
	}
	if issuer != "" {
		payload["iss"] = issuer
	}
	if audience != "" {
		payload["aud"] = audience
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, payload).SignedString(secret)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return token, nil
}
