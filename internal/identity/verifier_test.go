package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"bookings/internal/booking"
)

func TestAGoodTokenNamesItsBearer(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		token string
		want  booking.Actor
	}{
		"customer":                      {token(nil), alice},
		"provider":                      {token(object{"role": "provider"}), booking.Actor{Role: booking.RoleProvider, ID: "alice"}},
		"a subject of 128 characters":   {token(object{"sub": strings.Repeat("ü", 128)}), booking.Actor{Role: booking.RoleCustomer, ID: strings.Repeat("ü", 128)}},
		"a subject beyond the BMP":      {token(object{"sub": "🦊"}), booking.Actor{Role: booking.RoleCustomer, ID: "🦊"}},
		"without iat":                   {token(object{"iat": nil}), alice},
		"iat and nbf within the leeway": {token(object{"iat": now.Unix() + 30, "nbf": now.Unix() + 30}), alice},
		"iss and aud that nobody asks":  {token(object{"iss": "somebody", "aud": []string{"a", "b"}}), alice},
		"claims that we do not know":    {token(object{"email": "a@example.org", "nested": object{"role": "admin"}}), alice},
		"a header with a key id":        {sign(`{"alg":"HS256","kid":"1"}`, payload(nil)), alice},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := verifier().VerifyBearer(t.Context(), test.token)
			requireCaller(t, got, err, Caller{Actor: test.want, Expires: now.Add(time.Hour)})
		})
	}
}

func TestATokenThatWeDidNotAskForIsInvalid(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"empty":                        "",
		"one part":                     "abc",
		"two parts":                    strings.Join(strings.Split(token(nil), ".")[:2], "."),
		"four parts":                   token(nil) + ".",
		"over 8 KiB":                   token(object{"padding": strings.Repeat("x", 8<<10)}),
		"alg none, unsigned":           encode(`{"alg":"none"}`) + "." + encode(payload(nil)) + ".",
		"alg none, signed":             sign(`{"alg":"none"}`, payload(nil)),
		"alg NONE":                     sign(`{"alg":"NONE"}`, payload(nil)),
		"alg hs256":                    sign(`{"alg":"hs256"}`, payload(nil)),
		"no alg":                       sign(`{"typ":"JWT"}`, payload(nil)),
		"alg of another type":          sign(`{"alg":["HS256"]}`, payload(nil)),
		"HS384":                        signHS384(),
		"RS256 with the secret":        sign(`{"alg":"RS256"}`, payload(nil)),
		"ES256 with the secret":        sign(`{"alg":"ES256"}`, payload(nil)),
		"two algs, the last is none":   sign(`{"alg":"HS256","alg":"none"}`, payload(nil)),
		"a header of null":             sign(`null`, payload(nil)),
		"critical extensions":          sign(`{"alg":"HS256","crit":["b64"],"b64":true}`, payload(nil)),
		"critical null":                sign(`{"alg":"HS256","crit":null}`, payload(nil)),
		"no signature":                 rewrite(token(nil), 2, func(string) string { return "" }),
		"half a signature":             rewrite(token(nil), 2, func(s string) string { return s[:len(s)/2] }),
		"another's payload":            rewrite(token(nil), 1, func(string) string { return encode(payload(object{"sub": "bob"})) }),
		"malleable last character":     rewrite(token(nil), 2, nextCharacter),
		"padding":                      token(nil) + "=",
		"a trailing newline":           token(nil) + "\n",
		"a newline in the signature":   rewrite(token(nil), 2, func(s string) string { return s[:8] + "\n" + s[8:] }),
		"a return in the signature":    rewrite(token(nil), 2, func(s string) string { return s[:8] + "\r" + s[8:] }),
		"signed with a newline":        signText(encode(hs256) + "." + encode(payload(nil)) + "\n"),
		"signed with padding":          signText(encode(hs256) + "==." + encode(payload(nil))),
		"a leading space":              " " + token(nil),
		"a trailing space":             token(nil) + " ",
		"a trailing NUL":               token(nil) + "\x00",
		"signed in the other alphabet": signText(encode(hs256) + "." + base64.RawStdEncoding.EncodeToString([]byte(payload(object{"x": "????????"})))),
		"payload null":                 sign(hs256, `null`),
		"payload an array":             sign(hs256, `[1]`),
		"payload a string":             sign(hs256, `"x"`),
		"payload with a tail":          sign(hs256, payload(nil)+"{}"),
		"payload cut off":              sign(hs256, payload(nil)[:20]),
		"no exp":                       token(object{"exp": nil}),
		"exp a string":                 token(object{"exp": "1900000000"}),
		"exp null":                     sign(hs256, `{"sub":"alice","role":"customer","exp":null}`),
		"exp NaN":                      sign(hs256, `{"sub":"alice","role":"customer","exp":NaN}`),
		"exp 1e300":                    sign(hs256, `{"sub":"alice","role":"customer","exp":1e300}`),
		"exp 1e400":                    sign(hs256, `{"sub":"alice","role":"customer","exp":1e400}`),
		"exp in the year 10000":        token(object{"exp": maxDate + 1}),
		"exp negative":                 token(object{"exp": -1}),
		"exp hugely negative":          sign(hs256, `{"sub":"alice","role":"customer","exp":-1e300}`),
		"nbf hugely negative":          token(object{"nbf": -1e300}),
		"nbf huge":                     token(object{"nbf": 1e300}),
		"nbf beyond the leeway":        token(object{"nbf": now.Unix() + 31}),
		"nbf a string":                 token(object{"nbf": "0"}),
		"iat beyond the leeway":        token(object{"iat": now.Unix() + 31}),
		"iat a string":                 token(object{"iat": "0"}),
		"no sub":                       token(object{"sub": nil}),
		"sub empty":                    token(object{"sub": ""}),
		"sub a number":                 token(object{"sub": 7}),
		"sub null":                     sign(hs256, `{"sub":null,"role":"customer","exp":1900000000}`),
		"sub of 129 characters":        token(object{"sub": strings.Repeat("ü", 129)}),
		"sub with a NUL":               token(object{"sub": "alice\x00"}),
		"sub with a newline":           token(object{"sub": "alice\nbob"}),
		"sub with a C1 control":        token(object{"sub": "alice\u0085"}),
		"sub of half a surrogate":      sign(hs256, `{"sub":"\ud800","role":"customer","exp":1900000000}`),
		"sub that is no UTF-8":         sign(hs256, "{\"sub\":\"\xff\",\"role\":\"customer\",\"exp\":1900000000}"),
		"no role":                      token(object{"role": nil}),
		"role internal":                token(object{"role": "internal"}),
		"role admin":                   token(object{"role": "admin"}),
		"role in upper case":           token(object{"role": "Customer"}),
		"role an array":                token(object{"role": []string{"customer"}}),
		"claim in another case":        token(object{"role": nil, "Role": "customer"}),
		"sub twice":                    sign(hs256, `{"sub":"alice","role":"customer","exp":1900000000,"sub":"bob"}`),
		"role twice, spelt apart":      sign(hs256, `{"sub":"alice","role":"customer","exp":1900000000,"r\u006fle":"provider"}`),
	}
	for name, token := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := verifier().VerifyBearer(t.Context(), token)
			requireReason(t, err, booking.ReasonTokenInvalid)
		})
	}
}

// signHS384 is a token that is good in every way but for its algorithm.
func signHS384() string {
	text := encode(`{"alg":"HS384"}`) + "." + encode(payload(nil))
	mac := hmac.New(sha512.New384, secret)
	mac.Write([]byte(text))
	return text + "." + encode(string(mac.Sum(nil)))
}

// nextCharacter changes only bits of the last character that stand for nothing.
func nextCharacter(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, s[len(s)-1])
	return s[:len(s)-1] + string(alphabet[last+1])
}

func TestATokenExpiresThirtySecondsAfterItsExp(t *testing.T) {
	t.Parallel()
	expiry := now.Add(time.Hour)
	tests := map[string]struct {
		at   time.Time
		good bool
	}{
		"at exp":                              {expiry, true},
		"a nanosecond before the leeway ends": {expiry.Add(30*time.Second - 1), true},
		"when the leeway ends":                {expiry.Add(30 * time.Second), false},
		"a year later":                        {expiry.AddDate(1, 0, 0), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := New(Options{Keys: Secret(secret), Now: func() time.Time { return test.at }})
			caller, err := v.VerifyBearer(t.Context(), token(nil))
			if !test.good {
				requireReason(t, err, booking.ReasonTokenExpired)
				return
			}
			requireCaller(t, caller, err, Caller{Actor: alice, Expires: expiry})
		})
	}
}

func TestExpiredIsSaidOnlyOfTokensWithNoOtherFault(t *testing.T) {
	t.Parallel()
	old := object{"exp": now.Add(-time.Hour).Unix(), "iss": "issuer", "aud": "audience"}
	with := func(name string, value any) object {
		return object{"exp": old["exp"], "iss": "issuer", "aud": "audience", name: value}
	}
	tests := map[string]struct {
		token string
		want  booking.Reason
	}{
		"old":                   {token(old), booking.ReasonTokenExpired},
		"old and badly signed":  {rewrite(token(old), 1, func(string) string { return encode(payload(with("sub", "bob"))) }), booking.ReasonTokenInvalid},
		"old, another issuer":   {token(with("iss", "other")), booking.ReasonTokenInvalid},
		"old, no issuer":        {token(with("iss", nil)), booking.ReasonTokenInvalid},
		"old, another audience": {token(with("aud", "other")), booking.ReasonTokenInvalid},
		"old, role admin":       {token(with("role", "admin")), booking.ReasonTokenInvalid},
		"old, sub empty":        {token(with("sub", "")), booking.ReasonTokenInvalid},
		"old, not valid yet":    {token(with("nbf", now.Add(time.Hour).Unix())), booking.ReasonTokenInvalid},
		"old, issued later":     {token(with("iat", now.Add(time.Hour).Unix())), booking.ReasonTokenInvalid},
		"old, nbf a string":     {token(with("nbf", "soon")), booking.ReasonTokenInvalid},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := New(Options{Keys: Secret(secret), Issuer: "issuer", Audience: "audience", Now: atNow})
			_, err := v.VerifyBearer(t.Context(), test.token)
			requireReason(t, err, test.want)
		})
	}
}

func TestIssuerAndAudienceAreRequiredWhereConfigured(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		changes object
		good    bool
	}{
		"both":                       {object{"iss": "issuer", "aud": "audience"}, true},
		"audience among others":      {object{"iss": "issuer", "aud": []string{"other", "audience"}}, true},
		"another issuer":             {object{"iss": "issuer2", "aud": "audience"}, false},
		"no issuer":                  {object{"aud": "audience"}, false},
		"issuer an array":            {object{"iss": []string{"issuer"}, "aud": "audience"}, false},
		"another audience":           {object{"iss": "issuer", "aud": "audience2"}, false},
		"no audience":                {object{"iss": "issuer"}, false},
		"an empty list of audiences": {object{"iss": "issuer", "aud": []string{}}, false},
		"audience beside a number":   {object{"iss": "issuer", "aud": []any{"audience", 7}}, false},
		"audience inside an object":  {object{"iss": "issuer", "aud": object{"audience": true}}, false},
		"audience with another case": {object{"iss": "issuer", "aud": "Audience"}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := New(Options{Keys: Secret(secret), Issuer: "issuer", Audience: "audience", Now: atNow})
			_, err := v.VerifyBearer(t.Context(), token(test.changes))
			if test.good && err != nil {
				t.Fatal(err)
			}
			if !test.good {
				requireReason(t, err, booking.ReasonTokenInvalid)
			}
		})
	}
}

func TestWithoutASecretNoTokenIsGood(t *testing.T) {
	t.Parallel()
	text := encode(hs256) + "." + encode(payload(nil))
	mac := hmac.New(sha256.New, nil)
	mac.Write([]byte(text))
	for _, token := range []string{token(nil), text + ".", text + "." + encode(string(mac.Sum(nil)))} {
		_, err := New(Options{Now: atNow}).VerifyBearer(t.Context(), token)
		requireReason(t, err, booking.ReasonTokenInvalid)
	}
}
