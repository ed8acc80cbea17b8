package app

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"bookings/internal/booking"
	"bookings/internal/identity"
	"bookings/internal/web"
)

const alice = `{"role":"customer","userId":"alice"}`

// bareMinter is a bare server that makes tokens, as dev's does.
func bareMinter(t *testing.T, changes ...func(*bareServer)) *instance {
	t.Helper()
	return barePage(t, append([]func(*bareServer){func(b *bareServer) {
		b.settings.MintTokens, b.settings.JWTSecret = true, testSecret
	}}, changes...)...)
}

// mint asks for a token. The header may name another Host.
func (i *instance) mint(body string, header http.Header) answer {
	i.t.Helper()
	request := i.sendBody(http.MethodPost, web.TokenPath, []byte(body), header)
	if host := header.Get("Host"); host != "" {
		request.Host = host
	}
	return restAnswer(i, i.send(request))
}

// isOffered tells whether the page is told that tokens are made.
func (i *instance) isOffered(host string) bool {
	i.t.Helper()
	request := i.get("/", http.Header{})
	request.Host = host
	response, body := i.exchange(request)
	if response.StatusCode != http.StatusOK {
		i.t.Errorf("the page: %s", response.Status)
	}
	return strings.Contains(string(body), `<meta name="tokens" content="`+web.TokenPath+`">`)
}

func TestWhoSitsAtTheMachineOfDevIsGivenTokens(t *testing.T) {
	t.Parallel()
	i := bareMinter(t)
	if !i.isOffered(i.addr) {
		t.Error("the page is not told")
	}
	for body, who := range map[string]booking.Actor{
		alice:                                   {Role: booking.RoleCustomer, ID: "alice"},
		`{"user_id":"žofie","role":"provider"}`: {Role: booking.RoleProvider, ID: "žofie"},
	} {
		response, text := i.exchange(i.sendBody(http.MethodPost, web.TokenPath, []byte(body), http.Header{"Origin": {i.url()}, "Sec-Fetch-Site": {"same-origin"}}))
		var told struct {
			Token      string
			ExpireTime time.Time
		}
		if err := json.Unmarshal(text, &told); err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %s", body, response.Status, text)
		}
		caller, err := identity.New(identity.Options{Keys: identity.Secret(testSecret), Now: time.Now}).VerifyBearer(t.Context(), told.Token)
		if err != nil || caller.Actor != who || !caller.Expires.Equal(told.ExpireTime) {
			t.Errorf("%s: the token is of %v (%v), the answer %s", body, caller, err, text)
		}
		if left := time.Until(told.ExpireTime); left < 14*time.Minute || left > 15*time.Minute {
			t.Errorf("good for %v", left)
		}
		if response.Header.Get("Content-Type") != "application/json" || response.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%v", response.Header)
		}
		if log := i.log.String(); !strings.Contains(log, web.TokenPath) || strings.Contains(log, told.Token) {
			t.Errorf("logged was %s", log)
		}
	}
}

func TestTokensAreSignedAsTheServerVerifiesThem(t *testing.T) {
	t.Parallel()
	i := start(t, func(s *Settings) { s.Page, s.MintTokens, s.JWTIssuer, s.JWTAudience = true, true, "us", "them" })
	_, text := i.exchange(i.sendBody(http.MethodPost, web.TokenPath, []byte(alice), http.Header{}))
	var told struct{ Token string }
	_ = json.Unmarshal(text, &told)
	checkVerdict(t, "a call with it", curl(i, call{method: "ListBookings", raw: []byte("{}"), header: bearer(told.Token)}), fine)
}

// For whoever sits elsewhere nothing is there; nor is it on other servers.
func TestNobodyElseIsGivenTokens(t *testing.T) {
	t.Parallel()
	from := func(peer string) func(*bareServer) { return func(b *bareServer) { b.peer = peer } }
	trusted := func(b *bareServer) { b.settings.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} }
	for name, c := range map[string]struct {
		i         *instance
		forwarded string
		want      bool
	}{
		"this machine":               {i: bareMinter(t, from("127.0.0.2:4711")), want: true},
		"this machine by IPv6":       {i: bareMinter(t, from("[::1]:4711")), want: true},
		"a proxy of this machine":    {i: bareMinter(t), forwarded: "127.0.0.1", want: true},
		"another machine":            {i: bareMinter(t, from("192.168.1.7:4711"))},
		"another one that says else": {i: bareMinter(t, from("192.168.1.7:4711")), forwarded: "127.0.0.1"},
		"one whose proxy is trusted": {i: bareMinter(t, from("10.0.0.1:80"), trusted), forwarded: "127.0.0.1"},
		"another one by IPv6":        {i: bareMinter(t, from("[2001:db8::1]:4711"))},
		"nobody knows where":         {i: bareMinter(t, from("@"))},
		"the end of a tunnel":        {i: bareMinter(t), forwarded: "127.0.0.1, 203.0.113.7"},
		"a server that is not dev's": {i: barePage(t)},
		"a server without the page":  {i: bareMinter(t, func(b *bareServer) { b.settings.Page = false })},
	} {
		got := c.i.mint(alice, http.Header{"X-Forwarded-For": {c.forwarded}})
		if c.want {
			checkVerdict(t, name, got, fine)
			continue
		}
		if checkVerdict(t, name, got, unsupported); got.http != http.StatusNotFound {
			t.Errorf("%s: HTTP status %d", name, got.http)
		}
	}
	for name, i := range map[string]*instance{"another machine": bareMinter(t, from("192.168.1.7:4711")), "a server that is not dev's": barePage(t)} {
		if i.isOffered(i.addr) {
			t.Errorf("%s: the page is told of tokens", name)
		}
	}
	i := bareMinter(t)
	for _, verb := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodOptions} {
		response, _ := i.exchange(i.sendBody(verb, web.TokenPath, []byte(alice), http.Header{}))
		if response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", verb, response.Status)
		}
	}
}

func TestNoVariableHasTokensMade(t *testing.T) {
	t.Parallel()
	settings, err := FromEnvironment(required("PAGE=true", "MINT_TOKENS=true", "MINTTOKENS=true", "MintTokens=true", "DEV=true"))
	if err != nil || settings.MintTokens {
		t.Errorf("tokens are made: %v, %v", settings.MintTokens, err)
	}
	if field, _ := reflect.TypeFor[Settings]().FieldByName("MintTokens"); field.Tag != "" {
		t.Errorf("the field has the tag %s", field.Tag)
	}
}

// A name of theirs that leads to this machine makes their page one of ours.
func TestTokensAreForNamesThatNobodyElseCanOwn(t *testing.T) {
	t.Parallel()
	i := bareMinter(t)
	for host, want := range map[string]bool{
		"localhost": true, "localhost:8080": true, "LocalHost:8080": true, "bookings.localhost:8080": true,
		"127.0.0.1": true, "127.0.0.1:8080": true, "[::1]:8080": true, "[::1]": true, "192.168.1.2:8080": true,
		"evil.example": false, "evil.example:8080": false, "localhost.evil.example": false, "notlocalhost": false,
		"127.0.0.1.evil.example": false, "127.0.0.1.nip.io:8080": false, ":8080": false, "0x7f.1": false,
	} {
		if i.isOffered(host) != want {
			t.Errorf("%s: whether the page is told is not %v", host, want)
		}
		verdict := map[bool]string{true: fine, false: notAllowed}[want]
		checkVerdict(t, host, i.mint(alice, http.Header{"Host": {host}}), verdict)
	}
}

func TestPagesOfOtherOriginsAreGivenNoTokens(t *testing.T) {
	t.Parallel()
	i := bareMinter(t, allow("*"))
	for _, header := range []http.Header{
		{"Origin": {"https://evil.example"}},
		{"Origin": {"null"}},
		{"Origin": {"http://localhost:1"}},
		{"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}},
		{"Origin": {i.url()}, "Sec-Fetch-Site": {"same-site"}},
	} {
		checkVerdict(t, header.Get("Origin"), i.mint(alice, header), notAllowed)
	}
}

func TestEachFaultOfARequestForATokenIsNamed(t *testing.T) {
	t.Parallel()
	i := bareMinter(t)
	long := strings.Repeat("x", 129)
	for body, want := range map[string]string{
		`{"role":"internal","userId":"alice"}`:          "role",
		`{"role":"system","userId":"alice"}`:            "role",
		`{"role":"Customer","userId":"alice"}`:          "role",
		`{"userId":"alice"}`:                            "role",
		`{"role":7,"userId":"alice"}`:                   "role",
		`{"role":null,"userId":"alice"}`:                "role",
		`{"role":"customer"}`:                           "user_id",
		`{"role":"customer","userId":""}`:               "user_id",
		`{"role":"customer","userId":["alice"]}`:        "user_id",
		`{"role":"customer","userId":"a\u0000b"}`:       "user_id",
		`{"role":"customer","userId":"` + "\xff" + `"}`: "user_id",
		`{"role":"customer","userId":"` + long + `"}`:   "user_id",
		`{}`: "role,user_id",
		``:   "role,user_id",
		`{"role":"customer","userId":"alice","ttl":"1h"}`: "ttl",
		`{"ROLE":"customer","userId":"alice"}`:            "ROLE",
		`[]`:                                              "body",
		`null`:                                            "body",
		`{"role":"customer","userId":"alice"} {}`: "body",
		`role=customer&userId=alice`:              "body",
	} {
		checkVerdict(t, body, i.mint(body, http.Header{}), invalid+want)
	}
	checkVerdict(t, "the longest id", i.mint(`{"role":"customer","userId":"`+long[1:]+`"}`, http.Header{}), fine)
	for _, media := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=latin1"} {
		got := restAnswer(i, i.send(i.post(web.TokenPath, media, strings.NewReader(alice), http.Header{})))
		if checkVerdict(t, media, got, unsupported); got.http != http.StatusUnsupportedMediaType {
			t.Errorf("%s: HTTP status %d", media, got.http)
		}
	}
	got := i.mint(alice+strings.Repeat(" ", maxBody), http.Header{})
	if checkVerdict(t, "a body over 64 KiB", got, tooLarge); got.http != http.StatusRequestEntityTooLarge {
		t.Errorf("HTTP status %d", got.http)
	}
}
