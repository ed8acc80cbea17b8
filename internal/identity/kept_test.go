package identity

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"bookings/internal/booking"
)

// countedKeys are a secret that counts how often it is asked for.
type countedKeys struct {
	Secret

	asked *int
}

func (k countedKeys) find(ctx context.Context, header map[string]any) (key, bool) {
	*k.asked++
	return k.Secret.find(ctx, header)
}

// counted is a verifier with a clock that the test sets, and how often it has
// verified anything.
func counted() (v *Verifier, clock *time.Time, verified *int) {
	clock, verified = new(now), new(0)
	v = New(Options{Keys: countedKeys{secret, verified}, Now: func() time.Time { return *clock }})
	return v, clock, verified
}

func TestAGoodTokenIsVerifiedOnce(t *testing.T) {
	t.Parallel()
	v, _, verified := counted()
	for range 3 {
		requireAlice(t, v, token(nil))
	}
	requireInvalid(t, v, rewrite(token(nil), 1, func(string) string { return encode(payload(object{"sub": "bob"})) }))
	if *verified != 2 {
		t.Errorf("verified %d times, want the good one once and the bad one once", *verified)
	}
}

func TestAKeptTokenEndsAsItsFirstUseWould(t *testing.T) {
	t.Parallel()
	v, clock, _ := counted()
	requireAlice(t, v, token(nil))
	for _, after := range []time.Duration{time.Hour, time.Hour + leeway - 1} {
		*clock = now.Add(after)
		requireAlice(t, v, token(nil))
	}
	*clock = now.Add(time.Hour + leeway)
	for range 2 {
		_, err := v.VerifyBearer(t.Context(), token(nil))
		requireReason(t, err, booking.ReasonTokenExpired)
	}
}

func TestAKeptTokenIsNotGoodBeforeItsTime(t *testing.T) {
	t.Parallel()
	for _, claim := range []string{"nbf", "iat"} {
		v, clock, _ := counted()
		early := token(object{claim: now.Add(leeway).Unix()})
		requireAlice(t, v, early)
		*clock = now.Add(-time.Second) // the clock is set back
		requireInvalid(t, v, early)
		*clock = now
		requireAlice(t, v, early)
	}
}

func TestARefusedTokenIsNotKept(t *testing.T) {
	t.Parallel()
	v, clock, _ := counted()
	early := token(object{"nbf": now.Add(time.Minute).Unix()})
	requireInvalid(t, v, early)
	*clock = now.Add(time.Minute)
	requireAlice(t, v, early)
}

func TestAKeptTokenGoesWithItsKey(t *testing.T) {
	t.Parallel()
	server := newKeyServer(t, jwks(jwk("ed", edKey(), nil), jwk("rsa", rsaKey(), nil)))
	client := server.client(&strings.Builder{})
	client.pace.fetch = time.Minute // others use this machine, too
	fetch := func(published string) {
		server.publish(published)
		if err := client.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		client.asked = now // nobody would fetch again
	}
	fetch(jwks(jwk("ed", edKey(), nil)))
	v, kept := New(Options{Keys: client, Now: atNow}), signers()[2].token("ed", nil)
	requireAlice(t, v, kept)
	for name, without := range map[string]string{
		"taken back": jwks(jwk("rsa", rsaKey(), nil)), "another under its name": jwks(jwk("ed", otherEdKey(), nil)),
	} {
		fetch(without)
		t.Log(name)
		requireInvalid(t, v, kept)
		fetch(jwks(jwk("ed", edKey(), nil)))
		requireAlice(t, v, kept)
	}
}

// The keys change between a token's verification and its keeping: it is kept, and
// never found.
func TestATokenThatIsVerifiedDuringARotationIsNotFound(t *testing.T) {
	t.Parallel()
	server := newKeyServer(t, jwks(jwk("ed", edKey(), nil)))
	client := server.client(&strings.Builder{})
	client.pace.fetch = time.Minute // others use this machine, too
	if err := client.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	client.asked = now
	rotated := rotatedMeanwhile{JWKS: client, rotate: func() {
		server.publish(jwks(jwk("rsa", rsaKey(), nil)))
		if err := client.refresh(t.Context()); err != nil {
			t.Error(err)
		}
	}}
	v, late := New(Options{Keys: rotated, Now: atNow}), signers()[2].token("ed", nil)
	requireAlice(t, v, late)
	v.keys = client
	requireInvalid(t, v, late)
}

// rotatedMeanwhile rotates the keys once one has been found.
type rotatedMeanwhile struct {
	*JWKS

	rotate func()
}

func (r rotatedMeanwhile) find(ctx context.Context, header map[string]any) (key, bool) {
	found, ok := r.JWKS.find(ctx, header)
	r.rotate()
	return found, ok
}

func TestKeptTokensAreBoundedAndOfTheLatest(t *testing.T) {
	t.Parallel()
	kept := newKeptTokens()
	sum := func(n int) [sha256.Size]byte { return sha256.Sum256(fmt.Append(nil, n)) }
	for n := range 2 * maxKept {
		kept.keep(sum(n), keptToken{caller: Caller{Expires: now.Add(time.Hour)}, verified: now})
	}
	if n := kept.tokens.Len(); n != maxKept {
		t.Errorf("%d tokens are kept", n)
	}
	if _, ok := kept.find(sum(2*maxKept-1), 0, now); !ok {
		t.Error("the latest is gone")
	}
	if _, ok := kept.find(sum(0), 0, now); ok {
		t.Error("the oldest is found")
	}
}
