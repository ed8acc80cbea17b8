package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/golang-jwt/jwt/v5"
)

// Keys are what tokens are signed with: a Secret, a PublicKey or a JWKS.
type Keys interface {
	// find is the key that must have signed a token with this header, which nobody
	// has verified yet; false where there is none. It may wait for keys that are
	// being fetched.
	find(ctx context.Context, header map[string]any) (key, bool)
	// algorithms are those that any of the keys is good for.
	algorithms() []string
	// generation is another one whenever any of the keys may have changed.
	generation() int64
}

// key is a key with the one algorithm that it is good for: a token does not
// choose how it is verified (RFC 8725, section 3.1).
type key struct {
	algorithm string
	material  any
}

// Secret is the key of HS256, 32 bytes or more. With an empty one, no token is
// good: it would be a key that everybody has.
type Secret []byte

func (s Secret) find(context.Context, map[string]any) (key, bool) {
	return key{jwt.SigningMethodHS256.Alg(), []byte(s)}, len(s) > 0
}

func (s Secret) algorithms() []string { return []string{jwt.SigningMethodHS256.Alg()} }

func (s Secret) generation() int64 { return 0 }

// The sizes of an RSA key, in bits: a shorter one is weak (RFC 7518, section
// 3.3), and a much longer one would cost us more than the caller of a forged token.
const (
	minRSA = 2048
	maxRSA = 8192
)

// newKey is a public key with its algorithm: RS256 with RSA, ES256 with ECDSA on
// P-256, EdDSA with Ed25519. It fails for all others, and for weak ones.
func newKey(public any) (key, error) {
	switch public := public.(type) {
	case *rsa.PublicKey:
		if bits := public.N.BitLen(); bits < minRSA || bits > maxRSA {
			return key{}, fmt.Errorf("an RSA key of %d bits: it must have %d to %d", bits, minRSA, maxRSA)
		}
		if public.E < 3 {
			return key{}, errors.New("an RSA key whose exponent is below 3")
		}
		return key{jwt.SigningMethodRS256.Alg(), public}, nil
	case *ecdsa.PublicKey:
		if public.Curve != elliptic.P256() {
			return key{}, errors.New("an ECDSA key that is not of the curve P-256")
		}
		if _, err := public.ECDH(); err != nil {
			return key{}, errors.New("an ECDSA key that is no point of its curve")
		}
		return key{jwt.SigningMethodES256.Alg(), public}, nil
	case ed25519.PublicKey:
		return key{jwt.SigningMethodEdDSA.Alg(), public}, nil
	default:
		return key{}, errors.New("neither RSA nor ECDSA nor Ed25519")
	}
}
