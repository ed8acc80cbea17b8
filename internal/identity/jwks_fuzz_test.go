package identity

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"testing"
)

// FuzzJWKS makes up what a key server answers: a key that is taken is published
// under its name for verifying, is public, and is strong enough.
func FuzzJWKS(f *testing.F) {
	f.Add([]byte(jwks(jwk("r", rsaKey(), nil), jwk("e", ecKey(), nil), jwk("d", edKey(), object{"use": "enc"}))))
	f.Add([]byte(jwks(jwk("w", weakKey(), nil), jwk("", edKey(), nil), jwk("p", edKey(), object{"d": "AAAA"}))))
	for _, seed := range []string{``, `null`, `{}`, `{"keys":[{"kty":"oct","kid":"s","k":"AAAA"}]}`, `{"keys":[7]}`, `{"keys":[{"kty":"RSA","kid":"x","n":"AA","e":"AQAB"}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		set, err := parseSet(body)
		if err != nil {
			return
		}
		if len(set.keys) == 0 {
			t.Fatal("a set without a key is read")
		}
		for kid, key := range set.keys {
			if !isStrong(key) || !isPublished(t, body, kid) {
				t.Fatalf("%q: %+v is taken of %s", kid, key, body)
			}
		}
	})
}

func isStrong(k key) bool {
	switch public := k.material.(type) {
	case *rsa.PublicKey:
		return k.algorithm == "RS256" && public.N.BitLen() >= 2048 && public.E >= 3
	case *ecdsa.PublicKey:
		return k.algorithm == "ES256" && public.Curve == elliptic.P256()
	case ed25519.PublicKey:
		return k.algorithm == "EdDSA" && len(public) == ed25519.PublicKeySize
	default:
		return false
	}
}

// isPublished tells whether a set has a public key of this name that is not for
// something else.
func isPublished(t *testing.T, body []byte, kid string) bool {
	t.Helper()
	var set struct {
		Keys []struct{ Kid, Use, D string }
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return true // an element that is no key beside one that is
	}
	for _, key := range set.Keys {
		if kid != "" && key.Kid == kid && key.Use != "enc" && key.D == "" {
			return true
		}
	}
	return false
}

// FuzzPublicKeyFile makes up PEM files: what is read is one strong public key.
func FuzzPublicKeyFile(f *testing.F) {
	f.Add([]byte("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n"))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		public, err := parsePublicKey(text)
		if err != nil {
			return
		}
		if found, err := newKey(public); err == nil && !isStrong(found) {
			t.Fatalf("%q is read as %+v", text, found)
		}
	})
}
