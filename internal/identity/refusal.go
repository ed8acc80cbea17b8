package identity

import (
	"errors"
	"slices"

	"github.com/golang-jwt/jwt/v5"

	"bookings/internal/booking"
)

func missing() error {
	return booking.Errorf(booking.ReasonTokenMissing, "credentials are missing: send an Authorization header with a Bearer token")
}

func invalid() error {
	return booking.Errorf(booking.ReasonTokenInvalid, "the credentials are not valid")
}

func expired() error {
	return booking.Errorf(booking.ReasonTokenExpired, "the token has expired")
}

// graverThanAge are the faults of a well signed token that a younger token of
// the same kind would have too.
var graverThanAge = []error{
	errClaims,
	jwt.ErrInvalidType,
	jwt.ErrTokenRequiredClaimMissing,
	jwt.ErrTokenInvalidIssuer,
	jwt.ErrTokenInvalidAudience,
	jwt.ErrTokenNotValidYet,
	jwt.ErrTokenUsedBeforeIssued,
}

// refusal is what a caller hears of the parser's error: never its text.
// TOKEN_EXPIRED says that a new token will do, so it is for tokens whose only
// fault is their age. The parser reports no age before the signature is good.
func refusal(err error) error {
	graver := slices.ContainsFunc(graverThanAge, func(fault error) bool { return errors.Is(err, fault) })
	if errors.Is(err, jwt.ErrTokenExpired) && !graver {
		return expired()
	}
	return invalid()
}
