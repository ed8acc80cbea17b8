package identity

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

// Keys of an identity provider, made once: RSA takes its time.
var (
	rsaKey     = sync.OnceValue(func() *rsa.PrivateKey { return newRSA(2048) })
	weakKey    = sync.OnceValue(func() *rsa.PrivateKey { return newRSA(1024) })
	ecKey      = sync.OnceValue(func() *ecdsa.PrivateKey { return newEC(elliptic.P256()) })
	edKey      = sync.OnceValue(newEd)
	otherEdKey = sync.OnceValue(newEd)
)

func newRSA(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}

func newEC(curve elliptic.Curve) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

func newEd() ed25519.PrivateKey {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

// signer signs tokens with a key.
type signer struct {
	method jwt.SigningMethod
	key    crypto.Signer
}

// signers has one for each algorithm that we take with public keys.
func signers() []signer {
	return []signer{{jwt.SigningMethodRS256, rsaKey()}, {jwt.SigningMethodES256, ecKey()}, {jwt.SigningMethodEdDSA, edKey()}}
}

// token has a kid in its header, unless that is nil, and alice's claims with changes.
func (s signer) token(kid any, changes object) string {
	header := object{"alg": s.method.Alg(), "typ": "JWT"}
	if kid != nil {
		header["kid"] = kid
	}
	return s.sign(header, payload(changes))
}

func (s signer) sign(header object, payload string) string {
	raw, err := json.Marshal(header)
	if err != nil {
		panic(err)
	}
	text := encode(string(raw)) + "." + encode(payload)
	signature, err := s.method.Sign(text, s.key)
	if err != nil {
		panic(err)
	}
	return text + "." + encode(string(signature))
}

// jwk is a key as it is published, with changes; a change to nil removes a member.
func jwk(kid string, key crypto.Signer, changes object) object {
	made, err := jwkset.NewJWKFromKey(key.Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: kid}})
	if err != nil {
		panic(err)
	}
	raw, err := json.Marshal(made.Marshal())
	if err != nil {
		panic(err)
	}
	all := object{}
	if err := json.Unmarshal(raw, &all); err != nil {
		panic(err)
	}
	for name, value := range changes {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	return all
}

func jwks(keys ...any) string {
	raw, err := json.Marshal(object{"keys": keys})
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// keyServer is an identity provider's, whose answer can be changed.
type keyServer struct {
	*httptest.Server
	answer atomic.Value
	asked  atomic.Int64
}

func newKeyServer(t *testing.T, body string) *keyServer {
	t.Helper()
	s := &keyServer{}
	s.publish(body)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		s.answer.Load().(http.HandlerFunc)(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *keyServer) publish(body string) {
	s.do(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
}

func (s *keyServer) do(answer http.HandlerFunc) { s.answer.Store(answer) }

// client knows the server's keys once it has fetched them.
func (s *keyServer) client(log *strings.Builder) *JWKS {
	return NewJWKS(s.URL, atNow, slog.New(slog.NewTextHandler(log, nil)))
}

// run fetches in the background until the test ends.
func (j *JWKS) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { j.Run(ctx) })
	t.Cleanup(running.Wait)
	t.Cleanup(cancel)
}

// awaitFetch waits for the end of a fetch that begins from now on.
func (j *JWKS) awaitFetch(t *testing.T) {
	t.Helper()
	for range 2 { // one may run already
		j.mu.Lock()
		fetched := j.fetched
		j.mu.Unlock()
		select {
		case <-fetched:
		case <-time.After(time.Minute):
			t.Fatal("nothing was fetched")
		}
	}
}

// fetched is a verifier whose keys have been fetched from the server.
func (s *keyServer) fetched(t *testing.T) *Verifier {
	t.Helper()
	client := s.client(&strings.Builder{})
	if err := client.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	client.asked = now // nobody would fetch again
	return New(Options{Keys: client, Now: atNow})
}
