package app

import (
	"crypto/tls"
	"crypto/x509"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

const (
	testInternal2 = "the internal token that replaces the other one in this test"
	serviceDNS    = "billing.internal"
	serviceURI    = "spiffe://example.com/ns/billing"
)

func withInternalSide(s *Settings) {
	s.InternalAddr = "127.0.0.1:0"
	s.InternalTokens = []string{testInternal, testInternal2}
}

// ofAll asks for what only internal services may ask for.
func ofAll(header http.Header) call {
	return call{method: "ListBookings", request: &bookingsv1.ListBookingsRequest{PageSize: 1}, header: header}
}

func TestInternalServicesComeInByEachDoorOfTheirListenerAlone(t *testing.T) {
	t.Parallel()
	i := start(t, withInternalSide)
	cara := i.as(booking.RoleCustomer, "cara")
	beside := cara.Clone()
	beside.Set("X-Internal-Token", testInternal)
	wrong := http.Header{"X-Internal-Token": {"wrong"}, "Authorization": cara["Authorization"]}
	for _, c := range []struct {
		name             string
		header           http.Header
		public, internal string
	}{
		{"a token", asInternal(), tokenMissing, fine},
		{"the other token", http.Header{"X-Internal-Token": {testInternal2}}, tokenMissing, fine},
		{"a wrong token", http.Header{"X-Internal-Token": {"wrong"}}, tokenMissing, tokenInvalid},
		{"an empty token", http.Header{"X-Internal-Token": {""}}, tokenMissing, tokenInvalid},
		{"nothing", http.Header{}, tokenMissing, tokenMissing},
		{"a person", cara, fine, fine},
		{"a token beside a person", beside, fine, tokenInvalid},
		{"a wrong token beside a person", wrong, fine, tokenInvalid},
	} {
		for _, door := range doors {
			checkVerdict(t, c.name+", public, "+door.name, door.call(i, ofAll(c.header)), c.public)
			checkVerdict(t, c.name+", internal, "+door.name, door.call(i.internal, ofAll(c.header)), c.internal)
		}
	}
}

func TestSocketsAreForPeopleOnTheInternalListenerToo(t *testing.T) {
	t.Parallel()
	i := start(t, withInternalSide)
	upgrade := http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
	}
	for _, c := range []struct {
		header http.Header
		want   int
	}{{asInternal(), http.StatusUnauthorized}, {i.as(booking.RoleCustomer, "cara"), http.StatusSwitchingProtocols}} {
		header := upgrade.Clone()
		maps.Copy(header, c.header)
		response := i.internal.send(i.internal.get("/ws", header))
		if _ = response.Body.Close(); response.StatusCode != c.want {
			t.Errorf("answered %s, want %d", response.Status, c.want)
		}
	}
}

func TestThePublicListenerShowsNoReflectionBesideAnInternalOne(t *testing.T) {
	t.Parallel()
	i := start(t, withInternalSide)
	for _, procedure := range []string{reflection, reflectAlpha} {
		asked := string(text(7, ""))
		checkVerdict(t, "public", i.grpcRaw(procedure, "application/grpc", framed(0, len(asked), asked), http.Header{}), unsupported)
	}
	if names := i.internal.reflectV1(); len(names) == 0 {
		t.Error("the internal listener shows no reflection")
	}
	for _, side := range []*instance{i, i.internal} {
		side.checkLive()
		side.checkReady(http.StatusOK, readiness{Status: "ok", Postgres: "ok", Redis: "disabled", Schema: "ok"})
		side.checkHealth(serving)
	}
}

func TestEachInternalCallIsLoggedWithItsService(t *testing.T) {
	t.Parallel()
	i := start(t, withInternalSide)
	for token, want := range map[string]string{testInternal: "token-1", testInternal2: "token-2"} {
		i.internal.checkService(http.Header{"X-Internal-Token": {token}}, "internal", want)
	}
	i.stop()
	if told := i.log.String(); strings.Contains(told, testInternal) || strings.Contains(told, testInternal2) {
		t.Error("a token is in the log")
	}
}

// checkService calls through each door and looks at the log line.
func (i *instance) checkService(who http.Header, user, service string) {
	i.t.Helper()
	for n, door := range doors {
		id := "service." + service[strings.LastIndexByte(service, '/')+1:] + user[:1] + string(rune('a'+n))
		header := who.Clone()
		header.Set("X-Request-Id", id)
		checkVerdict(i.t, door.name, door.call(i, ofAll(header)), fine)
		line := i.logged("request", id)
		if line["service"] != service || line["user"] != user {
			i.t.Errorf("%s: the line is %v", door.name, line)
		}
	}
}

// mutual is a server whose internal side demands certificates of the CA.
func mutual(t *testing.T, ca *authority) *instance {
	t.Helper()
	cert, key := ca.serverFiles()
	return start(t, withInternalSide, func(s *Settings) {
		s.InternalTLSCert, s.InternalTLSKey, s.InternalCA = cert, key, ca.file
		s.InternalNames = []string{serviceDNS, serviceURI}
	})
}

func TestACertificateOfAnAllowedNameMakesItsServiceInternal(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	i := mutual(t, ca)
	cara := i.as(booking.RoleCustomer, "cara")
	for service, config := range map[string]*tls.Config{
		serviceDNS: ca.client("Billing.Internal", ""), serviceURI: ca.client("", serviceURI),
	} {
		side := i.internal.with(config)
		side.checkService(http.Header{}, "internal", service)
		side.checkService(asInternal(), "internal", service)
		side.checkService(cara, "customer/cara", service)
		beside := cara.Clone()
		beside.Set("X-Internal-Token", testInternal)
		for _, door := range doors {
			checkVerdict(t, "a wrong token", door.call(side, ofAll(http.Header{"X-Internal-Token": {"wrong"}})), tokenInvalid)
			checkVerdict(t, "a token beside a person", door.call(side, ofAll(beside)), tokenInvalid)
			checkVerdict(t, "a bad person", door.call(side, ofAll(http.Header{"Authorization": {"Bearer x"}})), tokenInvalid)
		}
		side.checkHealth(serving)
		response, _ := side.exchange(side.get("/ws", http.Header{}))
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("a socket for a certificate: %s", response.Status)
		}
	}
	checkVerdict(t, "public", curl(i, ofAll(asInternal())), tokenMissing)
}

func TestWhoHasNoCertificateOfAnAllowedNameIsNotServed(t *testing.T) {
	t.Parallel()
	ca, stranger := newAuthority(t), newAuthority(t)
	i := mutual(t, ca)
	if err := i.internal.connects(ca.client(serviceDNS, "")); err != nil {
		t.Fatal(err)
	}
	foreign := stranger.client(serviceDNS, "")
	foreign.RootCAs = ca.pool()
	old := ca.client(serviceDNS, "")
	old.MaxVersion = tls.VersionTLS12
	for name, config := range map[string]*tls.Config{
		"no certificate":      {RootCAs: ca.pool()},
		"another CA's":        foreign,
		"another name":        ca.client("payments.internal", "spiffe://example.com/ns/payments"),
		"a name below":        ca.client("x.billing.internal", ""),
		"a name above":        ca.client("internal", ""),
		"a wildcard":          ca.client("*.internal", ""),
		"a URI that goes on":  ca.client("", serviceURI+"/x"),
		"a URI in other case": ca.client("", strings.ToUpper(serviceURI)),
		"the common name":     ca.clientWith(func(c *x509.Certificate) { c.Subject.CommonName = serviceDNS }),
		"an address":          ca.clientWith(func(c *x509.Certificate) { c.EmailAddresses = []string{serviceDNS} }),
		"expired":             ca.clientWith(func(c *x509.Certificate) { c.DNSNames, c.NotAfter = []string{serviceDNS}, time.Now().Add(-time.Minute) }),
		"a server's": ca.clientWith(func(c *x509.Certificate) {
			c.DNSNames, c.ExtKeyUsage = []string{serviceDNS}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}),
		"TLS 1.2": old,
	} {
		if err := i.internal.connects(config); err == nil {
			t.Errorf("%s is served", name)
		}
	}
	if response, err := i.internal.http1.RoundTrip(i.internal.get("/health", http.Header{})); err == nil && response.StatusCode < 400 {
		t.Errorf("plain text is served: %s", response.Status)
	}
}

func TestRenewedCertificatesNeedNoRestart(t *testing.T) {
	t.Parallel()
	ca, next := newAuthority(t), newAuthority(t)
	cert, key := ca.serverFiles()
	publicCert, publicKey := ca.serverFiles()
	caFile := writeFile(t, nil)
	renew(t, ca.file, caFile)
	i := start(t, withInternalSide, func(s *Settings) {
		s.TLSCert, s.TLSKey = publicCert, publicKey
		s.InternalTLSCert, s.InternalTLSKey, s.InternalCA, s.InternalNames = cert, key, caFile, []string{serviceDNS}
	})
	trusts := func(server, client *authority) *tls.Config {
		config := client.client(serviceDNS, "")
		config.RootCAs = server.pool()
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		return config
	}
	check := func(when string, side *instance, config *tls.Config, want bool) {
		t.Helper()
		if err := side.connects(config); (err == nil) != want {
			t.Errorf("%s: served: %v, want %v (%v)", when, err == nil, want, err)
		}
	}
	before := trusts(ca, ca)
	check("at first", i.internal, before, true)
	check("at first, a later client", i.internal, trusts(ca, next), false)

	newCert, newKey := next.serverFiles()
	renew(t, newCert, cert)
	check("with half a renewal", i.internal, before, true)
	renew(t, newKey, key)
	check("with a new certificate", i.internal, before, false)
	check("with a new certificate", i.internal, trusts(next, ca), true)

	both := append(pemOf("CERTIFICATE", ca.cert.Raw), pemOf("CERTIFICATE", next.cert.Raw)...)
	renew(t, writeFile(t, both), caFile)
	check("with both CAs", i.internal, trusts(next, ca), true)
	check("with both CAs", i.internal, trusts(next, next), true)
	renew(t, next.file, caFile)
	check("with the new CA", i.internal, trusts(next, ca), false)
	check("with the new CA", i.internal, trusts(next, next), true)
	renew(t, writeFile(t, []byte("nothing")), caFile)
	check("with a broken CA", i.internal, trusts(next, next), true)
	if err := os.Remove(caFile); err != nil {
		t.Fatal(err)
	}
	check("without its CA", i.internal, trusts(next, next), true)

	check("public", i, &tls.Config{RootCAs: ca.pool()}, true)
	newPublicCert, newPublicKey := next.serverFiles()
	renew(t, newPublicCert, publicCert)
	renew(t, newPublicKey, publicKey)
	check("public, renewed", i, &tls.Config{RootCAs: ca.pool()}, false)
	check("public, renewed", i, &tls.Config{RootCAs: next.pool()}, true)
}

func TestAStopDrainsBothListeners(t *testing.T) {
	t.Parallel()
	i := start(t, withInternalSide, func(s *Settings) { s.Drain = time.Second })
	sides := []*instance{i, i.internal}
	var streams []*http.Response
	for _, side := range sides {
		header := side.as(booking.RoleCustomer, "cara")
		request := side.post("/bookings.v1.EventService/StreamEvents", "application/connect+json", strings.NewReader(framed(0, 2, "{}")), header)
		streams = append(streams, side.send(request))
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		i.stop()
	}()
	for _, side := range sides {
		i.awaitf(func() bool { status, _ := side.readiness(); return status == http.StatusServiceUnavailable }, "readiness off")
		if response, _ := side.exchange(side.get("/health", http.Header{})); !response.Close {
			t.Error("an answer of a server that drains does not close its connection")
		}
	}
	for _, stream := range streams {
		if body := string(readAll(t, stream)); !strings.Contains(body, "SHUTTING_DOWN") {
			t.Errorf("a stream ends with %s", body)
		}
	}
	<-stopped
	for _, side := range sides {
		if response, err := side.http1.RoundTrip(side.get("/health", http.Header{})); err == nil {
			t.Errorf("a server that has stopped answers %s", response.Status)
		}
	}
}

// A browser shows its user's certificate for every page that calls.
func TestPagesOfOtherOriginsCannotUseACertificate(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	side := mutual(t, ca).internal.with(ca.client(serviceDNS, ""))
	id := "0199aa00-0000-7000-8000-000000000000"
	for _, header := range []http.Header{{"Sec-Fetch-Site": {"cross-site"}}, {"Origin": {"https://evil.example"}}} {
		got := side.rest(side.post("/v1/bookings/"+id+":cancel", "", nil, header), "CancelBooking")
		checkVerdict(t, "a foreign page", got, notAllowed)
		if got := side.send(side.get("/v1/bookings", header)).Header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("a foreign page may read: %s", got)
		}
	}
}

func TestEachWrongSettingOfTheInternalSideIsNamed(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	cert, key := ca.serverFiles()
	secured := []string{"INTERNAL_ADDR=:8081", "INTERNAL_TLS_CERT=" + cert, "INTERNAL_TLS_KEY=" + key}
	demanding := slices.Concat(secured, []string{"INTERNAL_CLIENT_CA=" + ca.file, "INTERNAL_CLIENT_NAMES=" + serviceDNS + "," + serviceURI})
	for _, good := range [][]string{{"INTERNAL_ADDR=:8081"}, {"ADDR=127.0.0.1:1", "INTERNAL_ADDR=127.0.0.2:1"}, secured, demanding} {
		if _, err := FromEnvironment(required(good...)); err != nil {
			t.Errorf("%v: %v", good, err)
		}
	}
	for wrong, name := range map[string]string{
		"INTERNAL_ADDR=8081":                           "INTERNAL_ADDR",
		"INTERNAL_ADDR=:8080":                          "INTERNAL_ADDR",
		"INTERNAL_ADDR=localhost:8080":                 "INTERNAL_ADDR",
		"INTERNAL_TLS_KEY=":                            "INTERNAL_TLS_KEY",
		"INTERNAL_TLS_CERT=/nowhere":                   "INTERNAL_TLS_CERT",
		"INTERNAL_CLIENT_CA=":                          "INTERNAL_CLIENT_CA",
		"INTERNAL_CLIENT_CA=/nowhere":                  "INTERNAL_CLIENT_CA",
		"INTERNAL_CLIENT_CA=" + key:                    "INTERNAL_CLIENT_CA",
		"INTERNAL_CLIENT_CA=" + cert:                   "INTERNAL_CLIENT_CA",
		"INTERNAL_CLIENT_CA=" + writeFile(t, nil):      "INTERNAL_CLIENT_CA",
		"INTERNAL_CLIENT_NAMES=":                       "INTERNAL_CLIENT_NAMES",
		"INTERNAL_CLIENT_NAMES=*.internal":             "INTERNAL_CLIENT_NAMES",
		"INTERNAL_CLIENT_NAMES=a.internal, b.internal": "INTERNAL_CLIENT_NAMES",
		"INTERNAL_CLIENT_NAMES=a.internal,":            "INTERNAL_CLIENT_NAMES",
		"INTERNAL_CLIENT_NAMES=spiffe://*/x":           "INTERNAL_CLIENT_NAMES",
	} {
		_, err := FromEnvironment(append(required(demanding...), wrong))
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
	for _, name := range []string{"INTERNAL_TLS_CERT", "INTERNAL_TLS_KEY", "INTERNAL_CLIENT_CA", "INTERNAL_CLIENT_NAMES"} {
		_, err := FromEnvironment(required(name + "=x"))
		if err == nil || err.Error() != name+": is of no use without INTERNAL_ADDR" {
			t.Errorf("%s alone: %v", name, err)
		}
	}
	_, err := FromEnvironment(required("INTERNAL_ADDR=:8081", "INTERNAL_CLIENT_CA="+ca.file, "INTERNAL_CLIENT_NAMES=a"))
	if err == nil || !strings.Contains(err.Error(), "INTERNAL_CLIENT_CA: needs INTERNAL_TLS_CERT") {
		t.Errorf("a CA in plain text: %v", err)
	}
}
