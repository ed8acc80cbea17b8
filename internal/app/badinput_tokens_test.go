package app

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	bookingsv1 "bookings/gen/bookings/v1"
)

const (
	tokenMissing = "UNAUTHENTICATED TOKEN_MISSING"
	tokenInvalid = "UNAUTHENTICATED TOKEN_INVALID"
	tokenExpired = "UNAUTHENTICATED TOKEN_EXPIRED"
)

// signed is a token with claims that differ from a good one's; nil takes one
// away.
func signed(t *testing.T, method jwt.SigningMethod, key any, changes jwt.MapClaims) string {
	t.Helper()
	claims := jwt.MapClaims{"sub": "cara", "role": "customer", "exp": time.Now().Add(time.Hour).Unix()}
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func hs256(t *testing.T, changes jwt.MapClaims) string {
	t.Helper()
	return signed(t, jwt.SigningMethodHS256, []byte(testSecret), changes)
}

func TestBadCredentialsAreRefusedAtEveryDoor(t *testing.T) {
	t.Parallel()
	i := start(t)
	good, past := hs256(t, nil), jwt.MapClaims{"exp": time.Now().Add(-time.Hour).Unix()}
	other := signed(t, jwt.SigningMethodHS256, []byte("another secret, which is as long as ours"), past)
	for _, bad := range []struct {
		name, want    string
		authorization []string
	}{
		{"good", fine, []string{"Bearer " + good}},
		{"good, in small letters", fine, []string{"bearer  " + good}},
		{"none", tokenMissing, nil},
		{"empty", tokenInvalid, []string{""}},
		{"no token", tokenInvalid, []string{"Bearer"}},
		{"another scheme", tokenInvalid, []string{"Basic Y2FyYTpjYXJh"}},
		{"no scheme", tokenInvalid, []string{good}},
		{"two headers", tokenInvalid, []string{"Bearer " + good, "Bearer " + good}},
		{"two in one", tokenInvalid, []string{"Bearer " + good + ", Bearer " + good}},
		{"no JWT", tokenInvalid, []string{"Bearer token"}},
		{"too long", tokenInvalid, []string{"Bearer " + strings.Repeat("a", 9000)}},
		{"expired", tokenExpired, []string{"Bearer " + hs256(t, past)}},
		{"badly signed", tokenInvalid, []string{"Bearer " + signed(t, jwt.SigningMethodHS256, []byte("another secret"), nil)}},
		{"badly signed and expired", tokenInvalid, []string{"Bearer " + other}},
		{"signature changed", tokenInvalid, []string{"Bearer " + good[:len(good)-4] + "AAAA"}},
		{"claims changed", tokenInvalid, []string{"Bearer " + forged(good)}},
		{"alg none", tokenInvalid, []string{"Bearer " + signed(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil)}},
		{"alg HS512", tokenInvalid, []string{"Bearer " + signed(t, jwt.SigningMethodHS512, []byte(testSecret), nil)}},
		{"no exp", tokenInvalid, []string{"Bearer " + hs256(t, jwt.MapClaims{"exp": nil})}},
		{"no sub", tokenInvalid, []string{"Bearer " + hs256(t, jwt.MapClaims{"sub": nil})}},
		{"no role", tokenInvalid, []string{"Bearer " + hs256(t, jwt.MapClaims{"role": nil})}},
		{"role admin", tokenInvalid, []string{"Bearer " + hs256(t, jwt.MapClaims{"role": "admin"})}},
		{"role internal", tokenInvalid, []string{"Bearer " + hs256(t, jwt.MapClaims{"role": "internal"})}},
		{"NUL in sub", tokenInvalid, []string{"Bearer " + hs256(t, jwt.MapClaims{"sub": "ca\x00ra"})}},
		{"long sub", tokenInvalid, []string{"Bearer " + hs256(t, jwt.MapClaims{"sub": strings.Repeat("a", 129)})}},
		{"not yet", tokenInvalid, []string{"Bearer " + hs256(t, jwt.MapClaims{"nbf": time.Now().Add(time.Hour).Unix()})}},
	} {
		header := http.Header{}
		if bad.authorization != nil {
			header["Authorization"] = bad.authorization
		}
		c := call{method: "ListBookings", request: &bookingsv1.ListBookingsRequest{}, header: header}
		for _, door := range doors {
			checkVerdict(t, door.name+": "+bad.name, door.call(i, c), bad.want)
		}
	}
}

// forged is a token whose claims name somebody else.
func forged(token string) string {
	parts := strings.Split(token, ".")
	claims, _ := base64.RawURLEncoding.DecodeString(parts[1])
	parts[1] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(claims), "cara", "paul", 1)))
	return strings.Join(parts, ".")
}

func TestCredentialsAreJudgedBeforeTheRequest(t *testing.T) {
	t.Parallel()
	i := start(t)
	for _, door := range doors {
		c := call{method: "CreateBooking", raw: []byte("[\xff"), header: http.Header{}}
		checkVerdict(t, door.name, door.call(i, c), tokenMissing)
	}
}

func TestTheInternalTokenCountsOnGRPCAlone(t *testing.T) {
	t.Parallel()
	i := start(t)
	bearer := "Bearer " + hs256(t, nil)
	for _, bad := range []struct {
		name            string
		header          http.Header
		grpc, elsewhere string
	}{
		{"right", http.Header{"X-Internal-Token": {testInternal}}, fine, tokenMissing},
		{"wrong", http.Header{"X-Internal-Token": {testInternal + "a"}}, tokenInvalid, tokenMissing},
		{"empty", http.Header{"X-Internal-Token": {""}}, tokenInvalid, tokenMissing},
		{"two", http.Header{"X-Internal-Token": {testInternal, testInternal}}, tokenInvalid, tokenMissing},
		{"right beside a JWT", http.Header{"X-Internal-Token": {testInternal}, "Authorization": {bearer}}, tokenInvalid, fine},
		{"wrong beside a JWT", http.Header{"X-Internal-Token": {"wrong"}, "Authorization": {bearer}}, tokenInvalid, fine},
		{"as a bearer", http.Header{"Authorization": {"Bearer " + testInternal}}, tokenInvalid, tokenInvalid},
	} {
		c := call{method: "ListBookings", request: &bookingsv1.ListBookingsRequest{CustomerId: "cara"}, header: bad.header}
		for _, door := range doors {
			want := bad.elsewhere
			if door.grpc {
				want = bad.grpc
			}
			checkVerdict(t, door.name+": "+bad.name, door.call(i, c), want)
		}
	}
	// A caller of REST cannot make itself a caller of gRPC.
	header := asInternal()
	header.Set("Content-Type", "application/grpc")
	got := i.rest(i.get("/v1/bookings", header), "ListBookings")
	if got.response != nil {
		t.Errorf("REST with the media type of gRPC: %v", got)
	}
	for _, media := range []string{"application/grpc", "application/grpc+json", "application/grpc-web", "application/grpc-web+proto"} {
		header.Set("Content-Type", media)
		got := connectAnswer(i, i.send(i.get(bookingService+"ListBookings?connect=v1&encoding=json&message=%7B%7D", header)))
		checkVerdict(t, "a Connect GET with "+media, got, tokenMissing)
	}
}
