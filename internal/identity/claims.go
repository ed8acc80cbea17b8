package identity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"bookings/internal/booking"
)

const (
	maxIDLength = 128
	// maxDate is the last second of the year 9999, in Unix time. A greater
	// number overflows time.Time somewhere between here and a timestamp on the
	// wire, and a token that would be good for longer is a mistake.
	maxDate = 253402300799
)

var errClaims = errors.New("claims are not ours")

// claims are a token's payload. It is a map, because a struct would match the
// names in any case: "Role" is not role.
type claims struct{ jwt.MapClaims }

// UnmarshalJSON refuses an object that has a name twice, as RFC 7519 section 4
// suggests: two readers could otherwise see two users in one token. (In the
// token's header the last one counts, which RFC 7515 section 4 allows; no
// choice between two can weaken the check of the signature.)
func (c *claims) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return errClaims
	}
	c.MapClaims = jwt.MapClaims{}
	for decoder.More() {
		if err := c.readClaim(decoder); err != nil {
			return err
		}
	}
	return nil
}

func (c *claims) readClaim(decoder *json.Decoder) error {
	token, err := decoder.Token()
	name, ok := token.(string)
	if _, twice := c.MapClaims[name]; err != nil || twice || !ok {
		return errClaims
	}
	var value any
	if decoder.Decode(&value) != nil {
		return errClaims
	}
	c.MapClaims[name] = value
	return nil
}

// Validate checks what the library does not: our own claims, and dates that
// overflow. The parser calls it once the signature is found good.
func (c *claims) Validate() error {
	for _, name := range []string{"exp", "nbf", "iat"} {
		if date, ok := c.MapClaims[name].(float64); ok && (date < 0 || date > maxDate) {
			return errClaims
		}
	}
	if !isPerson(c.actor()) {
		return errClaims
	}
	return nil
}

// actor is the person whom the token names; empty where a claim is missing or
// no string.
func (c *claims) actor() booking.Actor {
	role, _ := c.MapClaims["role"].(string)
	id, _ := c.MapClaims["sub"].(string)
	return booking.Actor{Role: booking.Role(role), ID: id}
}

// isPerson reports whether a token may name this actor.
func isPerson(actor booking.Actor) bool { return len(Faults(actor)) == 0 }

// Faults are why no token may name this actor. No token makes its bearer an internal
// service.
func Faults(actor booking.Actor) (faults []booking.FieldViolation) {
	if actor.Role != booking.RoleCustomer && actor.Role != booking.RoleProvider {
		faults = append(faults, booking.FieldViolation{Field: "role", Description: "must be customer or provider"})
	}
	length := utf8.RuneCountInString(actor.ID)
	if length < 1 || length > maxIDLength || strings.ContainsFunc(actor.ID, isForbidden) {
		description := fmt.Sprintf("must be 1 to %d characters without control characters", maxIDLength)
		faults = append(faults, booking.FieldViolation{Field: "user_id", Description: description})
	}
	return faults
}

// isForbidden finds what an id must not contain. U+FFFD is what encoding/json
// makes of bytes that are no UTF-8 and of half surrogate pairs: with it, two
// users would become one.
func isForbidden(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }
