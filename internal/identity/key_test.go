package identity

import (
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"bookings/internal/booking"
)

// publicFile writes keys into a PEM file.
func publicFile(t *testing.T, keys ...any) string {
	t.Helper()
	var text []byte
	for _, key := range keys {
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})...)
	}
	return file(t, text)
}

func file(t *testing.T, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func publicVerifier(t *testing.T, s signer) *Verifier {
	t.Helper()
	key, err := ReadPublicKey(publicFile(t, s.key.Public()))
	if err != nil {
		t.Fatal(err)
	}
	return New(Options{Keys: key, Now: atNow})
}

// A token says by which algorithm it was signed, which is its bearer's word.
func TestAKeyIsGoodForItsOwnAlgorithmAlone(t *testing.T) {
	t.Parallel()
	for n, s := range signers() {
		v := publicVerifier(t, s)
		requireAlice(t, v, s.token(nil, nil))
		requireAlice(t, v, s.token("any", nil)) // there is one key, whatever it is called
		requireInvalid(t, v, s.sign(object{"alg": "none"}, payload(nil)))
		requireInvalid(t, v, encode(`{"alg":"none"}`)+"."+encode(payload(nil))+".")
		requireInvalid(t, v, s.sign(object{"alg": "HS256"}, payload(nil)))
		requireInvalid(t, v, token(nil))
		requireInvalid(t, v, s.sign(object{"alg": s.method.Alg(), "crit": []string{"exp"}}, payload(nil)))
		requireInvalid(t, v, rewrite(s.token(nil, nil), 1, func(string) string { return encode(payload(object{"sub": "bob"})) }))
		for m, other := range signers() {
			if m != n {
				requireInvalid(t, v, other.token(nil, nil))
			}
		}
	}
	rs256 := publicVerifier(t, signers()[0])
	for _, method := range []jwt.SigningMethod{jwt.SigningMethodRS384, jwt.SigningMethodRS512, jwt.SigningMethodPS256} {
		requireInvalid(t, rs256, signer{method, rsaKey()}.token(nil, nil))
	}
	requireInvalid(t, rs256, signer{jwt.SigningMethodRS256, newRSA(2048)}.token(nil, nil))
}

// The classic: the public key, which everybody has, as the secret of HS256.
func TestAPublicKeyIsNoSecret(t *testing.T) {
	t.Parallel()
	for _, s := range signers() {
		path := publicFile(t, s.key.Public())
		key, err := ReadPublicKey(path)
		if err != nil {
			t.Fatal(err)
		}
		v := New(Options{Keys: key, Now: atNow})
		text, _ := os.ReadFile(path)
		block, _ := pem.Decode(text)
		for _, known := range [][]byte{text, block.Bytes, nil} {
			mac := hmac.New(sha256.New, known)
			signed := encode(hs256) + "." + encode(payload(nil))
			mac.Write([]byte(signed))
			requireInvalid(t, v, signed+"."+encode(string(mac.Sum(nil))))
		}
	}
}

// Keys in the token itself are its bearer's (RFC 8725, section 2.10 and 3.10).
func TestATokenDoesNotBringItsKey(t *testing.T) {
	t.Parallel()
	v := publicVerifier(t, signers()[2])
	forger := signer{jwt.SigningMethodEdDSA, otherEdKey()}
	server := newKeyServer(t, jwks(jwk("forged", otherEdKey(), nil)))
	for _, header := range []object{
		{"alg": "EdDSA", "jwk": jwk("forged", otherEdKey(), nil)},
		{"alg": "EdDSA", "jku": server.URL, "kid": "forged"},
		{"alg": "EdDSA", "x5u": server.URL},
		{"alg": "EdDSA", "kid": server.URL},
	} {
		requireInvalid(t, v, forger.sign(header, payload(nil)))
	}
	fetched := newKeyServer(t, jwks(jwk("ed", edKey(), nil))).fetched(t)
	requireInvalid(t, fetched, forger.sign(object{"alg": "EdDSA", "kid": "ed", "jku": server.URL, "jwk": jwk("ed", otherEdKey(), nil)}, payload(nil)))
	if server.asked.Load() > 0 {
		t.Error("a server that a token names was asked")
	}
}

func TestClaimsAreJudgedAlikeWhateverTheKey(t *testing.T) {
	t.Parallel()
	for _, s := range signers() {
		v := publicVerifier(t, s)
		requireAlice(t, v, s.token(nil, object{"nbf": now.Unix() + 30}))
		for name, changes := range map[string]object{
			"no exp": {"exp": nil}, "nbf": {"nbf": now.Unix() + 31}, "iat": {"iat": now.Unix() + 31}, "role": {"role": "internal"}, "sub": {"sub": ""},
		} {
			_, err := v.VerifyBearer(t.Context(), s.token(nil, changes))
			if !booking.IsReason(err, booking.ReasonTokenInvalid) {
				t.Errorf("%s, %s: %v", s.method.Alg(), name, err)
			}
		}
		_, err := v.VerifyBearer(t.Context(), s.token(nil, object{"exp": now.Add(-30 * time.Second).Unix()}))
		requireReason(t, err, booking.ReasonTokenExpired)
		requireInvalid(t, New(Options{Keys: v.keys, Now: atNow, Audience: "us"}), s.token(nil, object{"aud": "others"}))
	}
}

func TestAFileWithoutOneSoundPublicKeyIsRefused(t *testing.T) {
	t.Parallel()
	private, err := x509.MarshalPKCS8PrivateKey(edKey())
	if err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"not there":       filepath.Join(t.TempDir(), "nothing"),
		"a folder":        t.TempDir(),
		"empty":           file(t, nil),
		"text":            file(t, []byte("ssh-ed25519 AAAA")),
		"RSA of 1024":     publicFile(t, weakKey().Public()),
		"P-384":           publicFile(t, newEC(elliptic.P384()).Public()),
		"two":             publicFile(t, edKey().Public(), rsaKey().Public()),
		"a private key":   file(t, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		"a certificate":   file(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: private})),
		"cut off":         file(t, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: private[:9]})),
		"RSA, exponent 1": publicFile(t, &rsa.PublicKey{N: rsaKey().N, E: 1}),
	} {
		if _, err := ReadPublicKey(path); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&rsaKey().PublicKey)})
	if _, err := ReadPublicKey(file(t, pkcs1)); err != nil {
		t.Error(err)
	}
}
