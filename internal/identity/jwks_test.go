package identity

import (
	"context"
	"crypto/elliptic"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"bookings/internal/booking"
)

func requireInvalid(t *testing.T, v *Verifier, token string) {
	t.Helper()
	_, err := v.VerifyBearer(t.Context(), token)
	requireReason(t, err, booking.ReasonTokenInvalid)
}

func requireAlice(t *testing.T, v *Verifier, token string) {
	t.Helper()
	caller, err := v.VerifyBearer(t.Context(), token)
	requireCaller(t, caller, err, Caller{Actor: alice, Expires: now.Add(time.Hour)})
}

func TestATokenIsVerifiedByTheKeyThatItNames(t *testing.T) {
	t.Parallel()
	v := newKeyServer(t, jwks(jwk("rsa", rsaKey(), nil), jwk("ec", ecKey(), nil), jwk("ed", edKey(), nil))).fetched(t)
	for n, kid := range []string{"rsa", "ec", "ed"} {
		s := signers()[n]
		requireAlice(t, v, s.token(kid, nil))
		requireInvalid(t, v, s.token("", nil))
		requireInvalid(t, v, s.token(nil, nil))
		requireInvalid(t, v, s.token([]string{kid}, nil))
		requireInvalid(t, v, s.token(7, nil))
		for _, other := range []string{"rsa", "ec", "ed", "unknown", "RSA", kid + " ", "../" + kid} {
			if other != kid {
				requireInvalid(t, v, s.token(other, nil))
			}
		}
	}
}

// What is no signing key of ours stands beside one that is: neither does it
// verify anything nor does it keep the other from doing so.
func TestAPublishedKeyThatIsNotForUsIsNotUsed(t *testing.T) {
	t.Parallel()
	rs256, ed := signers()[0], signers()[2]
	for name, test := range map[string]struct {
		published any
		token     string
	}{
		"for encryption":          {jwk("x", rsaKey(), object{"use": "enc"}), rs256.token("x", nil)},
		"for signing alone":       {jwk("x", rsaKey(), object{"key_ops": []string{"sign"}}), rs256.token("x", nil)},
		"RSA of 1024 bits":        {jwk("x", weakKey(), nil), signer{jwt.SigningMethodRS256, weakKey()}.token("x", nil)},
		"RSA with the exponent 1": {jwk("x", rsaKey(), object{"e": "AQ"}), rs256.token("x", nil)},
		"for RS512":               {jwk("x", rsaKey(), object{"alg": "RS512"}), rs256.token("x", nil)},
		"for PS256":               {jwk("x", rsaKey(), object{"alg": "PS256"}), signer{jwt.SigningMethodPS256, rsaKey()}.token("x", nil)},
		"another curve":           {jwk("x", newEC(elliptic.P384()), nil), signer{jwt.SigningMethodES256, ecKey()}.token("x", nil)},
		"off its curve":           {jwk("x", ecKey(), object{"y": encode(strings.Repeat("x", 32))}), signer{jwt.SigningMethodES256, ecKey()}.token("x", nil)},
		"private":                 {jwk("x", edKey(), object{"d": encode(string(edKey().Seed()))}), ed.token("x", nil)},
		"a secret":                {object{"kty": "oct", "kid": "x", "k": encode(string(secret))}, sign(`{"alg":"HS256","kid":"x"}`, payload(nil))},
		"a secret for HS256":      {object{"kty": "oct", "kid": "x", "alg": "HS256", "use": "sig", "k": encode(string(secret))}, sign(`{"alg":"HS256","kid":"x"}`, payload(nil))},
		"without a name":          {jwk("", edKey(), nil), ed.token(nil, nil)},
		"with the name empty":     {jwk("", edKey(), nil), ed.token("", nil)},
		"of another type":         {object{"kty": "LMS", "kid": "x"}, ed.token("x", nil)},
		"broken":                  {object{"kty": "OKP", "crv": "Ed25519", "kid": "x", "x": "!"}, ed.token("x", nil)},
		"no object":               {7, ed.token("x", nil)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newKeyServer(t, jwks(test.published, jwk("good", edKey(), nil))).fetched(t)
			requireInvalid(t, v, test.token)
			requireAlice(t, v, ed.token("good", nil))
		})
	}
}

func TestAKeyThatIsPublishedTwiceIsOneAndANameOfTwoIsNone(t *testing.T) {
	t.Parallel()
	one, other := signer{jwt.SigningMethodEdDSA, edKey()}, signer{jwt.SigningMethodEdDSA, otherEdKey()}
	v := newKeyServer(t, jwks(
		jwk("twice", edKey(), nil), jwk("twice", edKey(), object{"use": "sig", "alg": "EdDSA"}),
		jwk("two", edKey(), nil), jwk("two", otherEdKey(), nil), jwk("two", edKey(), nil),
		jwk("both uses", edKey(), nil), jwk("both uses", rsaKey(), object{"use": "enc"}),
	)).fetched(t)
	requireAlice(t, v, one.token("twice", nil))
	requireAlice(t, v, one.token("both uses", nil))
	requireInvalid(t, v, one.token("two", nil))
	requireInvalid(t, v, other.token("two", nil))
}

// keyServerFaults are what a key server may do in place of answering.
func keyServerFaults(t *testing.T) map[string]http.HandlerFunc {
	t.Helper()
	foreign := newKeyServer(t, jwks(jwk("ed", edKey(), nil)))
	t.Cleanup(func() {
		if foreign.asked.Load() > 0 {
			t.Error("a redirect was followed")
		}
	})
	text := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
	}
	good := jwks(jwk("ed", edKey(), nil))
	return map[string]http.HandlerFunc{
		"hangs":                 func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"hangs in the middle":   hangInTheMiddle,
		"cuts the connection":   func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"answers 500":           func(w http.ResponseWriter, _ *http.Request) { http.Error(w, good, http.StatusInternalServerError) },
		"answers 204":           func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"answers a megabyte":    text(`{"x":"` + strings.Repeat("x", 1<<20) + `",` + good[1:]),
		"redirects":             http.RedirectHandler(foreign.URL, http.StatusFound).ServeHTTP,
		"redirects for good":    http.RedirectHandler(foreign.URL, http.StatusPermanentRedirect).ServeHTTP,
		"answers a page":        text("<html>Welcome</html>"),
		"answers nothing":       text(""),
		"answers half":          text(good[:len(good)/2]),
		"answers with a tail":   text(good + good),
		"answers an array":      text("[" + good + "]"),
		"has no keys":           text(jwks()),
		"has keys for others":   text(jwks(jwk("ed", edKey(), object{"use": "enc"}))),
		"has keys of no object": text(`{"keys":{}}`),
	}
}

func hangInTheMiddle(w http.ResponseWriter, r *http.Request) {
	_, _ = w.Write([]byte(`{"keys":`))
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func TestKeysThatAreKnownGoOnWhileTheirServerIsFaulty(t *testing.T) {
	t.Parallel()
	ed := signers()[2]
	for name, fault := range keyServerFaults(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, log := newKeyServer(t, ""), &strings.Builder{}
			client := server.client(log)
			client.pace.fetch = 200 * time.Millisecond
			v := New(Options{Keys: client, Now: atNow})
			server.do(fault)
			if err := client.refresh(t.Context()); err == nil {
				t.Fatal("nothing was wrong")
			}
			requireState(t, client, false, false)
			client.pace.fetch = time.Minute
			server.publish(jwks(jwk("ed", edKey(), nil)))
			if err := client.refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			requireState(t, client, true, true)
			requireAlice(t, v, ed.token("ed", nil))
			client.pace.fetch = 200 * time.Millisecond
			server.do(fault)
			for range 3 {
				if err := client.refresh(t.Context()); err == nil {
					t.Fatal("nothing was wrong")
				}
			}
			requireState(t, client, true, false)
			requireAlice(t, v, ed.token("ed", nil))
			if said := strings.Count(log.String(), "cannot fetch"); said != 2 {
				t.Errorf("the log says %d times that it cannot fetch, in two outages:\n%s", said, log)
			}
			if strings.Contains(log.String(), server.URL) {
				t.Errorf("the log tells the URL:\n%s", log)
			}
		})
	}
}

func requireState(t *testing.T, j *JWKS, known, fresh bool) {
	t.Helper()
	if k, f := j.State(); k != known || f != fresh {
		t.Fatalf("keys are known: %v, fresh: %v; want %v, %v", k, f, known, fresh)
	}
}

func TestKeysAreFetchedFromTimeToTimeAndSoonAfterAFailure(t *testing.T) {
	t.Parallel()
	for name, slow := range map[string]func(*pace){
		"refreshed": func(p *pace) { p.refresh = time.Millisecond }, "tried again": func(p *pace) { p.retry = time.Millisecond },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old, young := signer{jwt.SigningMethodEdDSA, edKey()}, signer{jwt.SigningMethodEdDSA, otherEdKey()}
			server := newKeyServer(t, jwks(jwk("old", edKey(), nil)))
			client := server.client(&strings.Builder{})
			client.pace = pace{refresh: time.Hour, retry: time.Hour, asked: time.Hour, fetch: time.Minute}
			slow(&client.pace)
			if name == "tried again" {
				server.do(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
			}
			client.run(t)
			client.awaitFetch(t)
			server.publish(jwks(jwk("young", otherEdKey(), nil)))
			client.asked = now // nobody's token causes a fetch
			for known := false; !known; {
				client.mu.Lock()
				_, known = client.keys["young"]
				client.mu.Unlock()
			}
			v := New(Options{Keys: client, Now: atNow})
			requireAlice(t, v, young.token("young", nil))
			requireInvalid(t, v, old.token("old", nil))
		})
	}
}

func TestARotationIsFollowedWithTheFirstTokenOfTheNewKey(t *testing.T) {
	t.Parallel()
	young := signer{jwt.SigningMethodEdDSA, otherEdKey()}
	server := newKeyServer(t, jwks(jwk("old", edKey(), nil)))
	client := server.client(&strings.Builder{})
	v := New(Options{Keys: client, Now: atNow})
	client.run(t)
	requireAlice(t, v, signers()[2].token("old", nil)) // waits for the first fetch
	server.publish(jwks(jwk("young", otherEdKey(), nil)))
	requireAlice(t, v, young.token("young", nil))
	requireInvalid(t, v, signers()[2].token("old", nil))
	if asked := server.asked.Load(); asked != 2 {
		t.Errorf("the keys were fetched %d times", asked)
	}
}

func TestManyUnknownKeysCauseOneFetchInTheTime(t *testing.T) {
	t.Parallel()
	server := newKeyServer(t, jwks(jwk("ed", edKey(), nil)))
	client := server.client(&strings.Builder{})
	var clock atomic.Int64
	client.now = func() time.Time { return now.Add(time.Duration(clock.Load())) }
	v := New(Options{Keys: client, Now: atNow})
	client.run(t)
	requireAlice(t, v, signers()[2].token("ed", nil))
	for round := range int64(3) {
		clock.Store(round * int64(client.pace.asked))
		var callers sync.WaitGroup
		for n := range 50 {
			callers.Go(func() {
				for m := range 20 {
					_, err := v.VerifyBearer(context.Background(), signers()[2].token(fmt.Sprint("made up ", n, m), nil))
					if !booking.IsReason(err, booking.ReasonTokenInvalid) {
						t.Error(err)
					}
				}
			})
		}
		callers.Wait()
		requireAlice(t, v, signers()[2].token("ed", nil))
		if asked := server.asked.Load(); asked != round+2 {
			t.Errorf("after %d minutes the keys were fetched %d times", round, asked)
		}
	}
}

func TestACallerWaitsForAHangingKeyServerForAWhileOnly(t *testing.T) {
	t.Parallel()
	server := newKeyServer(t, "")
	server.do(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	client := server.client(&strings.Builder{})
	client.pace.fetch = 50 * time.Millisecond
	requireInvalid(t, New(Options{Keys: client, Now: atNow}), signers()[2].token("ed", nil)) // nobody fetches at all
	client.run(t)
	requireInvalid(t, New(Options{Keys: client, Now: atNow}), signers()[2].token("ed", nil))
	patient := server.client(&strings.Builder{})
	patient.pace.fetch = time.Hour
	patient.run(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New(Options{Keys: patient, Now: atNow}).VerifyBearer(ctx, signers()[2].token("ed", nil)); err == nil {
		t.Error("a caller who has gone is let in")
	}
}

func TestKeysComeFromNobodyInBetween(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{
		"https://login.example.com/jwks":               true,
		"https://login.example.com:8443/jwks?tenant=1": true,
		"http://localhost:1/jwks":                      true,
		"http://127.0.0.1/jwks":                        true,
		"http://127.9.9.9/jwks":                        true,
		"http://[::1]:1/jwks":                          true,
		"http://login.example.com/jwks":                false,
		"http://localhost.example.com/jwks":            false,
		"http://10.0.0.1/jwks":                         false,
		"http://0.0.0.0/jwks":                          false,
		"ftp://login.example.com/jwks":                 false,
		"file:///etc/jwks.json":                        false,
		"login.example.com/jwks":                       false,
		"https://":                                     false,
		"https://user:password@login.example.com/":     false,
		"https://login.example.com/#keys":              false,
		"":                                             false,
		"\x00":                                         false,
	} {
		if err := CheckJWKSURL(text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A certificate that nobody vouches for is no key server's.
func TestTheKeyServerIsVerified(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was asked") }))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	defer server.Close()
	client := (&keyServer{Server: server}).client(&strings.Builder{})
	client.pace.fetch = time.Minute // others use this machine, too
	if err := client.refresh(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("the error is %v", err)
	}
}
