package app

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

// provider is an identity provider: a server of keys, which answers 500 until it
// publishes one.
type provider struct {
	*httptest.Server
	published atomic.Value
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if text, _ := p.published.Load().(string); text != "" {
			_, _ = w.Write([]byte(text))
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	t.Cleanup(p.Close)
	return p
}

// publish makes this the provider's one key.
func (p *provider) publish(t *testing.T, kid string, key crypto.Signer) {
	t.Helper()
	made, err := jwkset.NewJWKFromKey(key.Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: kid}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{"keys": []any{made.Marshal()}})
	if err != nil {
		t.Fatal(err)
	}
	p.published.Store(string(text))
}

func (p *provider) silence() { p.published.Store("") }

// setting is a server that goes by the provider.
func (p *provider) setting(s *Settings) { s.JWTSecret, s.JWKSURL = "", p.URL }

func newEd25519(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// withKey are the credentials of cara, a customer, signed with a provider's key.
func withKey(t *testing.T, method jwt.SigningMethod, kid string, key crypto.Signer) http.Header {
	t.Helper()
	token := jwt.NewWithClaims(method, jwt.MapClaims{"sub": "cara", "role": "customer", "exp": time.Now().Add(time.Hour).Unix()})
	token.Header["kid"] = kid
	signed, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return http.Header{"Authorization": {"Bearer " + signed}}
}

func TestTheServerStartsWithoutItsKeyServerAndSaysSo(t *testing.T) {
	t.Parallel()
	p, key := newProvider(t), newEd25519(t)
	i := start(t, p.setting)
	i.checkLive()
	i.checkReady(http.StatusServiceUnavailable, readiness{Status: unavailable, Postgres: "ok", Redis: "disabled", Schema: "ok", Keys: unavailable})
	i.checkHealth(notServing)
	p.publish(t, "one", key)
	who := withKey(t, jwt.SigningMethodEdDSA, "one", key)
	checkVerdict(t, "with the first key", curl(i, harmless(who)), invalid+"page_size")
	i.checkReady(http.StatusOK, readiness{Status: "ok", Postgres: "ok", Redis: "disabled", Schema: "ok", Keys: "ok"})
	i.checkHealth(serving)
}

func TestKeysThatAreKnownGoOnAtEveryDoorWhileTheirServerIsAway(t *testing.T) {
	t.Parallel()
	p, key := newProvider(t), newEd25519(t)
	p.publish(t, "one", key)
	i := start(t, p.setting)
	who := withKey(t, jwt.SigningMethodEdDSA, "one", key)
	checkVerdict(t, "at the start", curl(i, harmless(who)), invalid+"page_size")
	p.silence()
	unknown := withKey(t, jwt.SigningMethodEdDSA, "two", key)
	checkVerdict(t, "an unknown key", curl(i, harmless(unknown)), tokenInvalid)
	i.checkReady(http.StatusOK, readiness{Status: degraded, Postgres: "ok", Redis: "disabled", Schema: "ok", Keys: degraded})
	for _, door := range doors {
		checkVerdict(t, door.name, door.call(i, harmless(who)), invalid+"page_size")
		checkVerdict(t, door.name, door.call(i, harmless(unknown)), tokenInvalid)
	}
}

func TestARotationNeedsNoRestart(t *testing.T) {
	t.Parallel()
	p, old, young := newProvider(t), newEd25519(t), newEd25519(t)
	p.publish(t, "old", old)
	i := start(t, p.setting)
	checkVerdict(t, "old", curl(i, harmless(withKey(t, jwt.SigningMethodEdDSA, "old", old))), invalid+"page_size")
	p.publish(t, "young", young)
	checkVerdict(t, "young", curl(i, harmless(withKey(t, jwt.SigningMethodEdDSA, "young", young))), invalid+"page_size")
	checkVerdict(t, "old", curl(i, harmless(withKey(t, jwt.SigningMethodEdDSA, "old", old))), tokenInvalid)
}

// publicKey writes a public key to a file.
func publicKey(t *testing.T, key crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return writePEM(t, "PUBLIC KEY", der)
}

func TestAPublicKeyInAFileLetsItsTokensInAlone(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for method, key := range map[jwt.SigningMethod]crypto.Signer{
		jwt.SigningMethodRS256: rsaKey, jwt.SigningMethodES256: ecKey, jwt.SigningMethodEdDSA: newEd25519(t),
	} {
		i := start(t, func(s *Settings) { s.JWTSecret, s.JWTPublicKey = "", publicKey(t, key) })
		checkVerdict(t, method.Alg(), curl(i, harmless(withKey(t, method, "any", key))), invalid+"page_size")
		checkVerdict(t, method.Alg(), curl(i, harmless(withKey(t, jwt.SigningMethodEdDSA, "any", newEd25519(t)))), tokenInvalid)
		checkVerdict(t, method.Alg(), curl(i, harmless(http.Header{"Authorization": {"Bearer " + hs256(t, nil)}})), tokenInvalid)
		i.checkReady(http.StatusOK, readiness{Status: "ok", Postgres: "ok", Redis: "disabled", Schema: "ok"})
		i.stop()
	}
}

func TestContradictoryAndWeakKeysAreNamedAtOnce(t *testing.T) {
	t.Parallel()
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	good, private := publicKey(t, newEd25519(t)), writePEM(t, "PRIVATE KEY", nil)
	for name, test := range map[string]struct{ environ, named []string }{
		"none":                   {nil, []string{"JWT_SECRET: is required"}},
		"a secret beside a JWKS": {[]string{"JWT_SECRET=" + testSecret, "JWT_JWKS_URL=https://a.example"}, []string{"JWT_JWKS_URL: contradicts JWT_SECRET"}},
		"a file beside a JWKS":   {[]string{"JWT_PUBLIC_KEY_FILE=" + good, "JWT_JWKS_URL=https://a.example"}, []string{"JWT_JWKS_URL: contradicts JWT_PUBLIC_KEY_FILE"}},
		"a secret beside a file": {[]string{"JWT_SECRET=" + testSecret, "JWT_PUBLIC_KEY_FILE=" + good}, []string{"JWT_PUBLIC_KEY_FILE: contradicts JWT_SECRET"}},
		"a weak key":             {[]string{"JWT_PUBLIC_KEY_FILE=" + publicKey(t, weak)}, []string{"JWT_PUBLIC_KEY_FILE: ", "1024 bits"}},
		"no file":                {[]string{"JWT_PUBLIC_KEY_FILE=" + filepath.Join(t.TempDir(), "none")}, []string{"JWT_PUBLIC_KEY_FILE: "}},
		"a private key":          {[]string{"JWT_PUBLIC_KEY_FILE=" + private}, []string{"JWT_PUBLIC_KEY_FILE: ", "private"}},
		"plain http":             {[]string{"JWT_JWKS_URL=http://a.example"}, []string{"JWT_JWKS_URL: must be https"}},
		"no URL":                 {[]string{"JWT_JWKS_URL=a.example"}, []string{"JWT_JWKS_URL: is no URL"}},
		"all wrong and all together": {[]string{"JWT_SECRET=short", "JWT_PUBLIC_KEY_FILE=" + private, "JWT_JWKS_URL=http://a.example"}, []string{
			"JWT_SECRET: must have 32", "JWT_PUBLIC_KEY_FILE: contradicts", "JWT_PUBLIC_KEY_FILE: " + private, "JWT_JWKS_URL: contradicts", "JWT_JWKS_URL: must be https",
		}},
	} {
		_, err := FromEnvironment(append(test.environ, "DATABASE_URL=postgres:///x"))
		for _, named := range test.named {
			if err == nil || !strings.Contains(err.Error(), named) {
				t.Errorf("%s: %q is not in: %v", name, named, err)
			}
		}
	}
	for _, environ := range [][]string{{"JWT_PUBLIC_KEY_FILE=" + good}, {"JWT_JWKS_URL=https://a.example/jwks"}, {"JWT_JWKS_URL=http://localhost:1", "JWT_SECRET="}} {
		if _, err := FromEnvironment(append(environ, "DATABASE_URL=postgres:///x")); err != nil {
			t.Errorf("%s: %v", environ, err)
		}
	}
}

func writePEM(t *testing.T, kind string, der []byte) string {
	t.Helper()
	return writeFile(t, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
