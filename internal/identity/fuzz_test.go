package identity

import (
	"crypto/hmac"
	"encoding/base64"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"bookings/internal/booking"
)

// FuzzVerifyBearer makes up tokens: what is accepted was signed with our key,
// and what is refused is refused in our words.
func FuzzVerifyBearer(f *testing.F) {
	for _, seed := range []string{token(nil), token(object{"exp": 1}), token(nil) + "\n", "..", "", encode(`{"alg":"none"}`) + "." + encode(payload(nil)) + "."} {
		f.Add(seed)
	}
	v := verifier()
	f.Fuzz(func(t *testing.T, token string) {
		caller, err := v.VerifyBearer(t.Context(), token)
		requireSound(t, caller, err)
		if err == nil && !isSigned(token) {
			t.Fatalf("accepted %q, which nobody signed", token)
		}
	})
}

// FuzzSignedPayload signs whatever it makes up: a careless identity provider
// must not get an unsound caller past us either.
func FuzzSignedPayload(f *testing.F) {
	for _, seed := range []string{payload(nil), payload(object{"aud": []string{"a"}}), `null`, `{"exp":1e300}`, `{"sub":"a","sub":"b"}`, `{"sub":"\ud800","role":"customer","exp":1900000000}`} {
		f.Add(hs256, seed)
	}
	v := verifier()
	f.Fuzz(func(t *testing.T, header, payload string) {
		caller, err := v.VerifyBearer(t.Context(), sign(header, payload))
		requireSound(t, caller, err)
	})
}

// isSigned checks an HS256 signature without the library.
func isSigned(token string) bool {
	dot := strings.LastIndexByte(token, '.')
	sum, err := base64.RawURLEncoding.Strict().DecodeString(token[dot+1:])
	return err == nil && hmac.Equal(sum, signature(token[:dot]))
}

func requireSound(t *testing.T, caller Caller, err error) {
	t.Helper()
	if err != nil {
		reason := booking.ReasonTokenInvalid
		if booking.IsReason(err, booking.ReasonTokenExpired) {
			reason = booking.ReasonTokenExpired
		}
		requireReason(t, err, reason)
		return
	}
	role, length := caller.Actor.Role, utf8.RuneCountInString(caller.Actor.ID)
	switch {
	case role != booking.RoleCustomer && role != booking.RoleProvider,
		length < 1 || length > 128 || !utf8.ValidString(caller.Actor.ID),
		!caller.Expires.After(now.Add(-30*time.Second)) || caller.Expires.Year() > 9999:
		t.Fatalf("accepted %+v", caller)
	}
}
