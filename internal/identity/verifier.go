package identity

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"bookings/internal/booking"
)

const (
	// leeway is how far the identity provider's clock may be off. It counts
	// when a request arrives; Caller.Expires has none.
	leeway = 30 * time.Second
	// maxTokenBytes is far above any honest token and keeps a caller without
	// credentials from making us decode much.
	maxTokenBytes = 8 << 10
)

// Options are a Verifier's settings.
type Options struct {
	// Keys are what JWTs are signed with. Without any, no JWT is good.
	Keys Keys
	// Issuer and Audience, where not empty, must be in every token: Issuer as
	// its iss, Audience as its aud or one of them.
	Issuer, Audience string
	// InternalTokens are the valid internal tokens: two while one replaces the
	// other. Empty ones are ignored.
	InternalTokens []string
	// Now is the clock.
	Now func() time.Time
}

// Verifier judges credentials. It is safe for concurrent use.
type Verifier struct {
	keys     Keys
	now      func() time.Time
	parser   *jwt.Parser
	kept     keptTokens
	internal [][sha256.Size]byte
}

// New makes a Verifier.
func New(options Options) *Verifier {
	if options.Keys == nil {
		options.Keys = Secret(nil)
	}
	v := &Verifier{keys: options.Keys, now: options.Now, parser: newParser(options), kept: newKeptTokens()}
	for _, token := range options.InternalTokens {
		if token != "" {
			v.internal = append(v.internal, sha256.Sum256([]byte(token)))
		}
	}
	return v
}

// newParser closes everything that the library leaves open by default.
func newParser(options Options) *jwt.Parser {
	closed := []jwt.ParserOption{
		jwt.WithValidMethods(options.Keys.algorithms()),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway),
		jwt.WithStrictDecoding(),
		jwt.WithIssuer(options.Issuer),
		jwt.WithTimeFunc(options.Now),
	}
	if options.Audience != "" {
		closed = append(closed, jwt.WithAudience(options.Audience))
	}
	return jwt.NewParser(closed...)
}

// Identify says who calls. internalAllowed is the gate's word on whether internal
// services may come in there; elsewhere what makes them is ignored. Where it
// counts, a wrong internal token, or one beside an Authorization header, is refused
// rather than passed over. A certificate admits its service by itself, and does not
// stand in the way of a person's JWT.
//
// Errors are *booking.Error: TOKEN_MISSING, TOKEN_INVALID or TOKEN_EXPIRED.
func (v *Verifier) Identify(ctx context.Context, credentials Credentials, internalAllowed bool) (Caller, error) {
	if internalAllowed && len(credentials.InternalToken) > 0 {
		return v.identifyService(credentials)
	}
	if len(credentials.Authorization) == 0 {
		if internalAllowed && credentials.Certificate != "" {
			return Caller{Actor: booking.Internal, Service: credentials.Certificate}, nil
		}
		return Caller{}, missing()
	}
	token, ok := credentials.bearer()
	if !ok {
		return Caller{}, invalid()
	}
	return v.VerifyBearer(ctx, token)
}

func (v *Verifier) identifyService(credentials Credentials) (Caller, error) {
	if len(credentials.InternalToken) != 1 || len(credentials.Authorization) > 0 {
		return Caller{}, invalid()
	}
	number := v.internalNumber(credentials.InternalToken[0])
	if number == 0 {
		return Caller{}, invalid()
	}
	name := cmp.Or(credentials.Certificate, fmt.Sprintf("token-%d", number))
	return Caller{Actor: booking.Internal, Service: name}, nil
}

// internalNumber is which of the internal tokens this is, from 1; 0 is none. It
// compares sums and all of them, so that the time it takes tells nothing about a
// valid token: not its start, not its length, not which one.
func (v *Verifier) internalNumber(token string) int {
	sum, number := sha256.Sum256([]byte(token)), 0
	for n, valid := range v.internal {
		number = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(sum[:], valid[:]), n+1, number)
	}
	return number
}

// VerifyBearer says whose JWT this is, without any "Bearer" in front. It may
// wait some seconds for keys that are being fetched.
//
// Errors are *booking.Error: TOKEN_EXPIRED where its age is the token's only
// fault, else TOKEN_INVALID.
func (v *Verifier) VerifyBearer(ctx context.Context, token string) (Caller, error) {
	// Go's base64 skips line breaks, even a strict one: one signature could be
	// written in many ways.
	if len(token) > maxTokenBytes || strings.ContainsAny(token, "\r\n") {
		return Caller{}, invalid()
	}
	// Read before the keys are: where those change meanwhile, what is kept is of the
	// old ones, and nobody finds it.
	sum, generation := sha256.Sum256([]byte(token)), v.keys.generation()
	if caller, ok := v.kept.find(sum, generation, v.now()); ok {
		return caller, nil
	}
	caller, err := v.verify(ctx, token)
	if err == nil {
		v.kept.keep(sum, keptToken{caller: caller, verified: v.now(), generation: generation})
	}
	return caller, err
}

func (v *Verifier) verify(ctx context.Context, token string) (Caller, error) {
	var payload claims
	key := func(token *jwt.Token) (any, error) { return v.key(ctx, token) }
	if _, err := v.parser.ParseWithClaims(token, &payload, key); err != nil {
		return Caller{}, refusal(err)
	}
	expires, err := payload.GetExpirationTime()
	if err != nil || expires == nil {
		return Caller{}, invalid()
	}
	return Caller{Actor: payload.actor(), Expires: expires.UTC()}, nil
}

var errKey = errors.New("no key for this token")

// key finds the key that must have signed the token, whose header nobody has
// verified yet. None for a token with critical extensions, since we know none
// (RFC 7515 section 4.1.11), and none where the token names another algorithm
// than the key's.
func (v *Verifier) key(ctx context.Context, token *jwt.Token) (any, error) {
	if _, critical := token.Header["crit"]; critical {
		return nil, errKey
	}
	found, ok := v.keys.find(ctx, token.Header)
	if !ok || found.algorithm != token.Method.Alg() {
		return nil, errKey
	}
	return found.material, nil
}
