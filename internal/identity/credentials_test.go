package identity

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"bookings/internal/booking"
)

func TestWhoCallsIsReadFromTheHeaders(t *testing.T) {
	t.Parallel()
	const good, other = "old internal token", "new internal token"
	person := Caller{Actor: alice, Expires: now.Add(time.Hour)}
	service := func(n int) Caller { return Caller{Actor: booking.Internal, Service: fmt.Sprintf("token-%d", n)} }
	bearer := "Bearer " + token(nil)
	tests := map[string]struct {
		authorization, internal []string
		internalAllowed         bool
		want                    Caller
		reason                  booking.Reason
	}{
		"nothing":                                {reason: booking.ReasonTokenMissing},
		"nothing, where internal counts":         {internalAllowed: true, reason: booking.ReasonTokenMissing},
		"bearer":                                 {authorization: []string{bearer}, want: person},
		"bearer, where internal counts":          {authorization: []string{bearer}, internalAllowed: true, want: person},
		"bearer in lower case":                   {authorization: []string{"bearer " + token(nil)}, want: person},
		"bearer in upper case":                   {authorization: []string{"BEARER " + token(nil)}, want: person},
		"two spaces":                             {authorization: []string{"Bearer  " + token(nil)}, want: person},
		"a tab":                                  {authorization: []string{"Bearer\t" + token(nil)}, reason: booking.ReasonTokenInvalid},
		"a trailing newline":                     {authorization: []string{bearer + "\n"}, reason: booking.ReasonTokenInvalid},
		"a trailing space":                       {authorization: []string{bearer + " "}, reason: booking.ReasonTokenInvalid},
		"a space in front":                       {authorization: []string{" " + bearer}, reason: booking.ReasonTokenInvalid},
		"no scheme":                              {authorization: []string{token(nil)}, reason: booking.ReasonTokenInvalid},
		"scheme alone":                           {authorization: []string{"Bearer"}, reason: booking.ReasonTokenInvalid},
		"an empty token":                         {authorization: []string{"Bearer "}, reason: booking.ReasonTokenInvalid},
		"an empty header":                        {authorization: []string{""}, reason: booking.ReasonTokenInvalid},
		"another scheme":                         {authorization: []string{"Basic " + token(nil)}, reason: booking.ReasonTokenInvalid},
		"two headers":                            {authorization: []string{bearer, bearer}, reason: booking.ReasonTokenInvalid},
		"two in one header":                      {authorization: []string{bearer + ", " + bearer}, reason: booking.ReasonTokenInvalid},
		"an expired token":                       {authorization: []string{"Bearer " + token(object{"exp": 1})}, reason: booking.ReasonTokenExpired},
		"internal":                               {internal: []string{good}, internalAllowed: true, want: service(1)},
		"the other internal":                     {internal: []string{other}, internalAllowed: true, want: service(2)},
		"a wrong internal":                       {internal: []string{"wrong"}, internalAllowed: true, reason: booking.ReasonTokenInvalid},
		"the start of an internal":               {internal: []string{good[:4]}, internalAllowed: true, reason: booking.ReasonTokenInvalid},
		"an empty internal":                      {internal: []string{""}, internalAllowed: true, reason: booking.ReasonTokenInvalid},
		"two internals":                          {internal: []string{good, good}, internalAllowed: true, reason: booking.ReasonTokenInvalid},
		"internal beside bearer":                 {authorization: []string{bearer}, internal: []string{good}, internalAllowed: true, reason: booking.ReasonTokenInvalid},
		"a wrong internal beside bearer":         {authorization: []string{bearer}, internal: []string{"wrong"}, internalAllowed: true, reason: booking.ReasonTokenInvalid},
		"internal where it does not count":       {internal: []string{good}, reason: booking.ReasonTokenMissing},
		"bearer and an internal that is ignored": {authorization: []string{bearer}, internal: []string{"wrong"}, want: person},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			credentials := FromHeader(http.Header{"Authorization": test.authorization, "X-Internal-Token": test.internal})
			caller, err := verifier().Identify(t.Context(), credentials, test.internalAllowed)
			if test.reason != "" {
				requireReason(t, err, test.reason)
				return
			}
			requireCaller(t, caller, err, test.want)
		})
	}
}

func TestWithoutInternalTokensNoneIsGood(t *testing.T) {
	t.Parallel()
	for _, tokens := range [][]string{nil, {}, {""}} {
		v := New(Options{Keys: Secret(secret), InternalTokens: tokens, Now: atNow})
		_, err := v.Identify(t.Context(), Credentials{InternalToken: []string{""}}, true)
		requireReason(t, err, booking.ReasonTokenInvalid)
	}
}

func TestHeadersAreReadInWhicheverCaseTheyCame(t *testing.T) {
	t.Parallel()
	header := http.Header{}
	header.Add("authorization", "Bearer x")
	header.Add("x-internal-token", "y")
	got := FromHeader(header)
	if len(got.Authorization) != 1 || len(got.InternalToken) != 1 {
		t.Fatalf("found %d and %d headers, want one of each", len(got.Authorization), len(got.InternalToken))
	}
}
