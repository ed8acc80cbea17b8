package app

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

// TestOWASPAPISecurityTop10 goes through the list of 2023, risk by risk, at real
// doors. Where a test of its own holds a promise in full, this is the map to it.
func TestOWASPAPISecurityTop10(t *testing.T) {
	t.Parallel()
	for name, attack := range map[string]func(*testing.T){
		"API1 broken object level authorization":               attackObjects,
		"API2 broken authentication":                           attackAuthentication,
		"API3 broken object property level authorization":      attackProperties,
		"API4 unrestricted resource consumption":               attackResources,
		"API5 broken function level authorization":             attackFunctions,
		"API6 unrestricted access to sensitive business flows": attackFlows,
		"API7 server side request forgery":                     attackOthersThroughUs,
		"API8 security misconfiguration":                       attackConfiguration,
		"API9 improper inventory management":                   attackInventory,
		"API10 unsafe consumption of APIs":                     attackThroughTheKeyServer,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			attack(t)
		})
	}
}

// Each method that takes an id is tried with somebody else's booking; in full:
// TestEachRoleMayDoWithABookingWhatTheTableSays, TestForeignBookingsLookLikeNone.
func attackObjects(t *testing.T) {
	t.Helper()
	i := start(t)
	id := i.book("cara", 0)
	for _, right := range rights() {
		for _, role := range []booking.Role{booking.RoleCustomer, booking.RoleProvider} {
			want := map[booking.Role]string{booking.RoleCustomer: right.otherCustomer, booking.RoleProvider: right.otherProvider}[role]
			got := curl(i, call{method: right.method, request: right.request(id), header: i.as(role, "eve")})
			checkVerdict(t, right.method+" by another "+string(role), got, want)
		}
	}
}

// In full: TestRFC8725, TestBadCredentialsAreRefusedAtEveryDoor.
func attackAuthentication(t *testing.T) {
	t.Helper()
	clock := newClockwork()
	i := bare(t, limit(clock))
	for _, method := range slices.Sorted(maps.Keys(methods)) {
		got := curl(i, call{method: method, raw: []byte("{}"), header: http.Header{}})
		checkVerdict(t, method+" by nobody", got, tokenMissing)
	}
	response, _ := i.exchange(i.get("/v1/bookings?access_token="+i.token(booking.RoleCustomer, "cara"), http.Header{}))
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("a token in the URL: %s", response.Status)
	}
	guess := harmless(http.Header{"Authorization": {"Bearer " + forged(i.token(booking.RoleCustomer, "cara"))}})
	last := ""
	for range 61 {
		last = curl(i, guess).verdict()
	}
	if last != limited {
		t.Errorf("the 61st guess is answered %s", last)
	}
	checkVerdict(t, "the user meanwhile", curl(i, harmless(i.as(booking.RoleCustomer, "cara"))), invalid+"page_size")
}

// Nothing can be set that is not the caller's to set, and nothing is shown that is
// for the server alone.
func attackProperties(t *testing.T) {
	t.Helper()
	i := start(t)
	cara := i.as(booking.RoleCustomer, "cara")
	id := i.book("cara", 0)
	for _, field := range []string{
		`"status":"BOOKING_STATUS_CONFIRMED"`, `"createTime":"2020-01-01T00:00:00Z"`, `"version":"7"`, `"customerId":"eve"`, `"providerId":"eve"`,
		`"updateMask":"status"`, `"updateMask":"customerId"`, `"__proto__":{}`,
	} {
		got := curl(i, call{method: "UpdateBooking", raw: []byte(`{"id":"` + id + `","note":"a",` + field + `}`), header: cara})
		checkVerdict(t, field, got, invalid+"*")
	}
	checkVerdict(t, "a status of one's own", curl(i, call{method: "CreateBooking", header: cara, raw: []byte(
		`{"providerId":"paul","startTime":"` + timeText(5) + `","endTime":"` + timeText(6) + `","status":"BOOKING_STATUS_CONFIRMED"}`)}), invalid+"*")
	_, body := i.exchange(i.get("/v1/bookings/"+id, cara))
	for _, hidden := range []string{"fingerprint", "idempotency", "job", "moves"} {
		if strings.Contains(strings.ToLower(string(body)), hidden) {
			t.Errorf("%q is shown: %s", hidden, body)
		}
	}
}

// In full: limits_test.go, badinput_size_test.go, TestPagesHaveADefaultSizeAndALargest.
func attackResources(t *testing.T) {
	t.Helper()
	i := bare(t, limit(newClockwork()))
	cara := i.as(booking.RoleCustomer, "cara")
	response, _ := i.exchange(i.sendBody(http.MethodPost, "/v1/bookings", []byte(`{"note":"`+strings.Repeat("a", 64<<10)+`"}`), cara))
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a body over 64 KiB: %s", response.Status)
	}
	last := ""
	for range 61 {
		last = curl(i, harmless(cara)).verdict()
	}
	if last != limited {
		t.Errorf("the 61st call is answered %s", last)
	}
}

// In full: TestEachRoleMayCreateAndListWhatTheTableSays.
func attackFunctions(t *testing.T) {
	t.Helper()
	i := start(t)
	id, cara := i.book("cara", 0), i.as(booking.RoleCustomer, "cara")
	for _, method := range []string{"ConfirmBooking", "CompleteBooking", "MarkBookingNoShow"} {
		got := curl(i, call{method: method, raw: []byte(`{"id":"` + id + `"}`), header: cara})
		checkVerdict(t, method+" of one's own", got, notAllowed)
	}
	day := &bookingsv1.CancelBookingsRequest{ProviderId: "paul", StartTimeFrom: stamp(soon(0)), StartTimeTo: stamp(soon(9))}
	checkVerdict(t, "a provider's day", curl(i, call{method: "CancelBookings", request: day, header: cara}), notAllowed)
	feed := &bookingsv1.ListEventsRequest{Role: bookingsv1.Role_ROLE_PROVIDER, UserId: "paul"}
	checkVerdict(t, "a provider's feed", curl(i, call{method: "ListEvents", request: feed, header: cara}), notAllowed)
	internal := cara.Clone()
	internal.Set("X-Internal-Token", testInternal+"x")
	checkVerdict(t, "a guessed internal token", overGRPC(i, ofAll(internal)), tokenInvalid)
	for _, verb := range []string{http.MethodDelete, http.MethodPut, http.MethodTrace} {
		response, _ := i.exchange(i.sendBody(verb, "/v1/bookings/"+id, nil, cara))
		if response.StatusCode < 400 {
			t.Errorf("%s: %s", verb, response.Status)
		}
	}
}

// Nobody can block a provider's year, nor book with themselves; in full:
// TestRacingCreatesNeverHoldMoreThanMaxPending.
func attackFlows(t *testing.T) {
	t.Helper()
	i := start(t)
	for hour := range 10 {
		i.book("cara", hour)
	}
	slot := func(provider string) call {
		return call{method: "CreateBooking", header: i.as(booking.RoleCustomer, "cara"), request: &bookingsv1.CreateBookingRequest{
			ProviderId: provider, StartTime: stamp(soon(50)), EndTime: stamp(soon(51)),
		}}
	}
	checkVerdict(t, "an eleventh", curl(i, slot("paul")), "FAILED_PRECONDITION TOO_MANY_PENDING")
	checkVerdict(t, "with oneself", curl(i, slot("cara")), invalid+"*")
	checkVerdict(t, "with another provider", curl(i, slot("pia")), fine)
}

// What callers write is stored and never fetched.
func attackOthersThroughUs(t *testing.T) {
	t.Helper()
	var asked atomic.Int64
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(target.Close)
	i := start(t)
	got := curl(i, call{method: "CreateBooking", header: i.as(booking.RoleCustomer, "cara"), request: &bookingsv1.CreateBookingRequest{
		ProviderId: target.URL, StartTime: stamp(soon(1)), EndTime: stamp(soon(2)), Note: target.URL, Metadata: map[string]string{"link": target.URL},
	}})
	checkVerdict(t, "a booking full of links", got, fine)
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"sub": "cara", "role": "customer", "exp": int64(1 << 33), "iss": target.URL})
	token.Header["jku"], token.Header["x5u"] = target.URL, target.URL
	text, _ := token.SignedString([]byte(testSecret))
	checkVerdict(t, "a token full of links", curl(i, harmless(http.Header{"Authorization": {"Bearer " + text}})), invalid+"page_size")
	if n := asked.Load(); n > 0 {
		t.Errorf("a server that a caller names was asked %d times", n)
	}
}

// In full: cors_test.go, missing_test.go, TestEachWrongSettingIsNamed,
// TestThePublicListenerShowsNoReflectionBesideAnInternalOne.
func attackConfiguration(t *testing.T) {
	t.Helper()
	i := start(t, func(s *Settings) { s.AllowedOrigins = []string{"https://example.com"} })
	cara := i.as(booking.RoleCustomer, "cara")
	cara.Set("Origin", "https://evil.example")
	response, _ := i.exchange(i.get("/v1/bookings", cara))
	if allowed := response.Header.Get("Access-Control-Allow-Origin"); allowed != "" {
		t.Errorf("a foreign origin may read: %q", allowed)
	}
	if cached := response.Header.Get("Cache-Control"); cached != "no-store" {
		t.Errorf("an answer may be kept: %q", cached)
	}
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/vars", "/riverui/", "/.env", "/.git/config", "/v1/../metrics"} {
		if response, _ := i.exchange(i.get(path, cara)); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, response.Status)
		}
	}
	got := curl(i, call{method: "GetBooking", raw: []byte(`{"id":"' OR 1=1 --"}`), header: cara})
	checkVerdict(t, "SQL for an id", got, invalid+"id")
	for _, setting := range []string{"JWT_SECRET=short", "INTERNAL_TOKEN=short", "JWT_JWKS_URL=http://id.example", "ALLOWED_ORIGINS=https://*.example.com"} {
		good := []string{"DATABASE_URL=postgres://localhost/x", "JWT_SECRET=" + testSecret}
		if _, err := FromEnvironment(append(good, setting)); err == nil {
			t.Errorf("%s is taken", setting)
		}
	}
}

// There is one version, and it has the methods of the proto and no other.
func attackInventory(t *testing.T) {
	t.Helper()
	i := bare(t)
	cara := i.as(booking.RoleCustomer, "cara")
	for _, path := range []string{
		"/v0/bookings", "/v2/bookings", "/v1beta/bookings", "/bookings", "/api/v1/bookings", "/swagger.json", "/graphql", "/bookings.v2.BookingService/ListBookings",
		"/bookings.v1.BookingService/DeleteBooking", "/bookings.v1.AdminService/ListUsers",
	} {
		response, _ := i.exchange(i.post(path, "application/json", strings.NewReader("{}"), cara))
		if response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, response.Status)
		}
	}
}

// The one API that we consume is the identity provider's server of keys; in full:
// internal/identity/jwks_test.go.
func attackThroughTheKeyServer(t *testing.T) {
	t.Helper()
	p, key := newProvider(t), newEd25519(t)
	i := start(t, p.setting)
	who := withKey(t, jwt.SigningMethodEdDSA, "one", key)
	for name, published := range map[string]string{
		"no JSON": "<html>", "no keys": `{"keys":[]}`, "a shared secret": `{"keys":[{"kty":"oct","kid":"one","k":"AAAA"}]}`,
		"a megabyte": `{"keys":["` + strings.Repeat("a", 1<<20) + `"]}`,
	} {
		p.published.Store(published)
		checkVerdict(t, name, curl(i, harmless(who)), tokenInvalid)
	}
}
