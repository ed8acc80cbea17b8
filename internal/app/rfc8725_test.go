package app

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// object is a token's header or claims.
type object = map[string]any

// attacker makes tokens, also such as no library makes.
type attacker struct {
	t *testing.T
	// secret is known to a server of HS256 and the identity provider.
	secret []byte
	// rsa is the identity provider's key, public its file at a server of RS256.
	rsa    *rsa.PrivateKey
	public string
	// asked counts the calls of a server that tokens name.
	asked  atomic.Int64
	server *httptest.Server
}

func newAttacker(t *testing.T) *attacker {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	a := &attacker{t: t, secret: []byte(testSecret), rsa: key, public: publicKey(t, key)}
	a.server = httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { a.asked.Add(1) }))
	t.Cleanup(a.server.Close)
	return a
}

// claims are cara's with changes; nil takes one away.
func (a *attacker) claims(changes object) string {
	claims := object{
		"sub": "cara", "role": "customer", "exp": time.Now().Add(time.Hour).Unix(),
		"iss": "https://id.example", "aud": "bookings",
	}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	text, _ := json.Marshal(claims)
	return string(text)
}

func base64URL(text []byte) string { return base64.RawURLEncoding.EncodeToString(text) }

func unsigned(header object, claims string) string {
	text, _ := json.Marshal(header)
	return base64URL(text) + "." + base64URL([]byte(claims))
}

// hmac signs by HMAC with SHA-256, whatever the header says.
func (a *attacker) hmac(header object, claims string, key []byte) string {
	mac := hmac.New(sha256.New, key)
	text := unsigned(header, claims)
	mac.Write([]byte(text))
	return text + "." + base64URL(mac.Sum(nil))
}

// rs256 signs with the provider's key.
func (a *attacker) rs256(header object, claims string, key *rsa.PrivateKey) string {
	text := unsigned(header, claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		a.t.Fatal(err)
	}
	return text + "." + base64URL(signature)
}

// attack is a token for one of the servers, or its settings, and the right answer.
type attack struct{ name, token, want string }

// TestRFC8725 goes through what JSON Web Token Best Current Practices warn of
// (section 2) and ask for (section 3), item by item, at real doors. The single
// cases are in internal/identity; this is the map. We make and take no encrypted
// tokens: what is said about encryption is answered by refusing them.
func TestRFC8725(t *testing.T) {
	t.Parallel()
	a := newAttacker(t)
	demanding := func(s *Settings) { s.JWTIssuer, s.JWTAudience = "https://id.example", "bookings" }
	secret := start(t, demanding)
	public := start(t, demanding, func(s *Settings) { s.JWTSecret, s.JWTPublicKey = "", a.public })
	hs, rs := object{"alg": "HS256"}, object{"alg": "RS256"}
	good, file := a.claims(nil), readAllOf(t, a.public)
	encrypted := base64URL([]byte(`{"alg":"dir","enc":"A128GCM","zip":"DEF"}`)) + "..AAAA.AAAA.AAAA"
	checkAttacks(t, "the good one", secret, attack{"HS256", a.hmac(hs, good, a.secret), fine})
	checkAttacks(t, "the good one", public, attack{"RS256", a.rs256(rs, good, a.rsa), fine})
	for _, item := range []struct {
		name    string
		at      *instance
		attacks []attack
	}{
		{"2.1 weak signatures and insufficient signature validation", public, []attack{
			{"none", unsigned(object{"alg": "none"}, good) + ".", tokenInvalid},
			{"no signature", unsigned(rs, good) + ".", tokenInvalid},
			{"the public key as a secret", a.hmac(hs, good, file), tokenInvalid},
		}},
		{"2.2 weak symmetric keys", secret, []attack{
			{"a guess", a.hmac(hs, good, []byte("secret")), tokenInvalid}, {"an empty key", a.hmac(hs, good, nil), tokenInvalid},
		}},
		{"2.3 incorrect composition of encryption and signature", secret, []attack{{"a JWE", encrypted, tokenInvalid}}},
		{"2.4 plaintext leakage through analysis of ciphertext length", secret, []attack{{"a JWE", encrypted, tokenInvalid}}},
		{"2.5 insecure use of elliptic curve encryption", public, []attack{
			{"ECDH-ES", base64URL([]byte(`{"alg":"ECDH-ES","enc":"A128GCM","epk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}}`)) + "..A.A.A", tokenInvalid},
		}},
		{"2.6 multiplicity of JSON encodings", secret, []attack{
			{"claims in Latin-1", a.hmac(hs, strings.Replace(good, "cara", "car\xe9", 1), a.secret), tokenInvalid},
			{"claims in UTF-16", a.hmac(hs, "\xfe\xff\x00{\x00}", a.secret), tokenInvalid},
			{"a claim twice", a.hmac(hs, strings.Replace(good, `"sub"`, `"sub":"paul","sub"`, 1), a.secret), tokenInvalid},
		}},
		{"2.7 substitution attacks", secret, []attack{{"of another recipient", a.hmac(hs, a.claims(object{"aud": "billing"}), a.secret), tokenInvalid}}},
		{"2.8 cross-JWT confusion", secret, []attack{
			{"an ID token, which has no role", a.hmac(hs, a.claims(object{"role": nil, "nonce": "n"}), a.secret), tokenInvalid},
		}},
		{"2.9 indirect attacks on the server", public, []attack{
			{"a kid that is SQL", a.rs256(object{"alg": "RS256", "kid": "' OR 1=1 --"}, good, a.stranger()), tokenInvalid},
			{"a kid that is a file", a.hmac(object{"alg": "HS256", "kid": "/dev/null"}, good, nil), tokenInvalid},
			{"a jku", a.rs256(object{"alg": "RS256", "jku": a.server.URL}, good, a.stranger()), tokenInvalid},
			{"an x5u", a.rs256(object{"alg": "RS256", "x5u": a.server.URL}, good, a.stranger()), tokenInvalid},
		}},
		{"3.1 perform algorithm verification", public, []attack{
			{"another algorithm than the key's", a.rs256(object{"alg": "PS256"}, good, a.rsa), tokenInvalid},
			{"two algorithms", a.rs256(object{"alg": []string{"RS256", "none"}}, good, a.rsa), tokenInvalid},
		}},
		{"3.2 use appropriate algorithms", public, []attack{
			{"one without a name", a.rs256(object{}, good, a.rsa), tokenInvalid}, {"none by another spelling", unsigned(object{"alg": "nOnE"}, good) + ".", tokenInvalid},
		}},
		{"3.3 validate all cryptographic operations", public, []attack{
			{"another's signature", a.rs256(rs, good, a.stranger()), tokenInvalid},
			{"claims changed", forged(a.rs256(rs, good, a.rsa)), tokenInvalid},
			{"critical extensions that nobody knows", a.rs256(object{"alg": "RS256", "crit": []string{"x"}, "x": 1}, good, a.rsa), tokenInvalid},
		}},
		{"3.4 validate cryptographic inputs", public, []attack{
			{"a signature of nothing but zeros", unsigned(rs, good) + "." + base64URL(make([]byte, 256)), tokenInvalid},
			{"a signature that is too long", a.rs256(rs, good, a.rsa) + "AAAA", tokenInvalid},
		}},
		{"3.6 avoid compression of encryption inputs", secret, []attack{{"a compressed JWE", encrypted, tokenInvalid}}},
		{"3.7 use UTF-8", secret, []attack{
			{"half a surrogate", a.hmac(hs, strings.Replace(good, "cara", `\ud800`, 1), a.secret), tokenInvalid},
			{"a name in UTF-8", a.hmac(hs, a.claims(object{"sub": "Zoë 🦊"}), a.secret), fine},
		}},
		{"3.8 validate issuer and subject", secret, []attack{
			{"another issuer", a.hmac(hs, a.claims(object{"iss": "https://evil.example"}), a.secret), tokenInvalid},
			{"no issuer", a.hmac(hs, a.claims(object{"iss": nil}), a.secret), tokenInvalid},
			{"no subject", a.hmac(hs, a.claims(object{"sub": nil}), a.secret), tokenInvalid},
		}},
		{"3.9 use and validate audience", secret, []attack{
			{"no audience", a.hmac(hs, a.claims(object{"aud": nil}), a.secret), tokenInvalid},
			{"ours among others", a.hmac(hs, a.claims(object{"aud": []string{"billing", "bookings"}}), a.secret), fine},
		}},
		{"3.10 do not trust received claims", public, []attack{
			{"a key of its own", a.rs256(object{"alg": "RS256", "jwk": object{"kty": "RSA", "n": "AQAB", "e": "AQAB"}}, good, a.stranger()), tokenInvalid},
			{"a role that nobody may have", a.rs256(rs, a.claims(object{"role": "internal"}), a.rsa), tokenInvalid},
			{"no end", a.rs256(rs, a.claims(object{"exp": nil}), a.rsa), tokenInvalid},
		}},
		{"3.11 use explicit typing", secret, []attack{
			{"a security event, which says neither role nor end", a.hmac(object{"alg": "HS256", "typ": "secevent+jwt"}, a.claims(object{"role": nil, "exp": nil, "events": object{}}), a.secret), tokenInvalid},
		}},
		{"3.12 use mutually exclusive validation rules for different kinds of JWTs", secret, []attack{
			{"of the other key's kind", a.rs256(rs, good, a.rsa), tokenInvalid}, {"a role of another system", a.hmac(hs, a.claims(object{"role": "admin"}), a.secret), tokenInvalid},
		}},
	} {
		checkAttacks(t, item.name, item.at, item.attacks...)
	}
	t.Run("3.5 ensure cryptographic keys have sufficient entropy", func(t *testing.T) {
		t.Parallel()
		weak, _ := rsa.GenerateKey(rand.Reader, 1024)
		for name, setting := range map[string]string{
			"a secret of 31 bytes": "JWT_SECRET=" + strings.Repeat("s", 31), "an RSA key of 1024 bits": "JWT_PUBLIC_KEY_FILE=" + publicKey(t, weak),
		} {
			if _, err := FromEnvironment([]string{"DATABASE_URL=postgres://localhost/x", setting}); err == nil {
				t.Errorf("%s is taken", name)
			}
		}
	})
	t.Cleanup(func() {
		if n := a.asked.Load(); n > 0 {
			t.Errorf("a server that a token names was asked %d times", n)
		}
	})
}

// checkAttacks tries tokens at a door of each protocol.
func checkAttacks(t *testing.T, item string, i *instance, attacks ...attack) {
	t.Helper()
	t.Run(item, func(t *testing.T) {
		for _, attack := range attacks {
			who := http.Header{"Authorization": {"Bearer " + attack.token}}
			for name, door := range map[string]func(*instance, call) answer{"curl": curl, "REST": rest, "gRPC": overGRPC} {
				want := attack.want
				if want == fine {
					want = invalid + "page_size" // past the gate, and no further
				}
				checkVerdict(t, attack.name+", "+name, door(i, harmless(who)), want)
			}
		}
	})
}

// stranger is a key that nobody has told us of.
func (a *attacker) stranger() *rsa.PrivateKey {
	a.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		a.t.Fatal(err)
	}
	return key
}

func readAllOf(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
