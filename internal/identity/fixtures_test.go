package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"bookings/internal/booking"
)

var (
	secret = []byte("a secret of thirty-two bytes or more")
	now    = time.Unix(1_800_000_000, 0).UTC()
	alice  = booking.Actor{Role: booking.RoleCustomer, ID: "alice"}
)

func atNow() time.Time { return now }

// verifier is one with a secret, an internal token and a clock that stands.
func verifier() *Verifier {
	return New(Options{Keys: Secret(secret), InternalTokens: []string{"old internal token", "new internal token"}, Now: atNow})
}

// object is JSON with an order that does not matter.
type object map[string]any

// payload is alice's, with changes; a change to nil removes a claim.
func payload(changes object) string {
	all := object{"sub": "alice", "role": "customer", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	maps.Copy(all, changes)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	raw, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// sign makes a token by hand, so that the library cannot repair what a test
// breaks: HMAC with SHA-256, whatever the header says.
func sign(header, payload string) string {
	return signText(encode(header) + "." + encode(payload))
}

func signText(text string) string { return text + "." + encode(string(signature(text))) }

func signature(text string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

const hs256 = `{"alg":"HS256","typ":"JWT"}`

// token is a good one, with changes to its payload.
func token(changes object) string { return sign(hs256, payload(changes)) }

// requireReason fails the test unless err is a *booking.Error with the reason
// and one of our own sentences.
func requireReason(t *testing.T, err error, want booking.Reason) {
	t.Helper()
	var refused *booking.Error
	if !errors.As(err, &refused) || refused.Reason != want {
		t.Fatalf("error is %v, want %s", err, want)
	}
	for _, ours := range []error{missing(), invalid(), expired()} {
		if refused.Error() == ours.Error() {
			return
		}
	}
	t.Fatalf("error %q is not a sentence of ours", err)
}

func requireCaller(t *testing.T, got Caller, err error, want Caller) {
	t.Helper()
	if err != nil || got != want {
		t.Fatalf("caller is %+v, %v; want %+v", got, err, want)
	}
}

// rewrite changes one of the three parts of a token.
func rewrite(token string, part int, change func(string) string) string {
	parts := strings.Split(token, ".")
	parts[part] = change(parts[part])
	return strings.Join(parts, ".")
}
