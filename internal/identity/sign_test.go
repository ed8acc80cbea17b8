package identity

import (
	"strings"
	"testing"
	"time"

	"bookings/internal/booking"
)

func TestASignedTokenIsGoodUntilItsTimeIsUp(t *testing.T) {
	t.Parallel()
	v := New(Options{Keys: Secret(secret), Issuer: "issuer", Audience: "audience", Now: atNow})
	signed, err := Sign(secret, alice, "issuer", "audience", now, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	caller, err := v.VerifyBearer(t.Context(), signed)
	requireCaller(t, caller, err, Caller{Actor: alice, Expires: now.Add(time.Minute)})
}

func TestWithoutIssuerAndAudienceNeitherIsClaimed(t *testing.T) {
	t.Parallel()
	signed, err := Sign(secret, alice, "", "", now, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	caller, err := verifier().VerifyBearer(t.Context(), signed)
	requireCaller(t, caller, err, Caller{Actor: alice, Expires: now.Add(time.Minute)})
	_, err = New(Options{Keys: Secret(secret), Issuer: "issuer", Now: atNow}).VerifyBearer(t.Context(), signed)
	requireReason(t, err, booking.ReasonTokenInvalid)
}

func TestNothingIsSignedThatWouldBeRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		secret []byte
		actor  booking.Actor
		ttl    time.Duration
	}{
		"no secret":              {nil, alice, time.Hour},
		"an internal service":    {secret, booking.Internal, time.Hour},
		"a made-up role":         {secret, booking.Actor{Role: "admin", ID: "alice"}, time.Hour},
		"no subject":             {secret, booking.Actor{Role: booking.RoleCustomer}, time.Hour},
		"a subject of 129":       {secret, booking.Actor{Role: booking.RoleCustomer, ID: strings.Repeat("x", 129)}, time.Hour},
		"a subject with a NUL":   {secret, booking.Actor{Role: booking.RoleCustomer, ID: "\x00"}, time.Hour},
		"a subject of bad UTF-8": {secret, booking.Actor{Role: booking.RoleCustomer, ID: "\xff"}, time.Hour},
		"no time":                {secret, alice, 0},
		"less than no time":      {secret, alice, -time.Hour},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if signed, err := Sign(test.secret, test.actor, "", "", now, test.ttl); err == nil {
				t.Fatalf("signed %s", signed)
			}
		})
	}
}
