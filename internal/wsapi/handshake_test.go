package wsapi

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"bookings/internal/booking"
	"bookings/internal/feed"
	"bookings/internal/pgtest"
	"bookings/internal/ratelimit"
)

//nolint:paralleltest,tparallel // they share a door, and a limit of its sockets
func TestHandshakeIsAnsweredByAStatus(t *testing.T) {
	t.Parallel()
	d := openDoor(t, func(h *Handler) { h.Origins = []string{"https://shop.example", "https://Large.Example"} })
	good, other := bearer(token(t)), sign(t, booking.RoleCustomer, "chris", time.Now(), time.Hour)
	from := func(origin string) http.Header {
		header := good.Clone()
		header.Set("Origin", origin)
		return header
	}
	tests := map[string]struct {
		query     string
		header    http.Header
		protocols []string
		status    int
		reason    booking.Reason
	}{
		"header":                       {header: good, status: 101},
		"header in small letters":      {header: http.Header{"Authorization": {"bearer " + token(t)}}, status: 101},
		"subprotocol":                  {protocols: []string{"bookings.v1", "bearer." + token(t)}, status: 101},
		"header and another's offer":   {header: good, protocols: []string{"bookings.v1", "bearer." + other}, status: 101},
		"own origin":                   {header: from(d.server.URL), status: 101},
		"allowed origin":               {header: from("https://shop.example"), status: 101},
		"allowed origin in capitals":   {header: from("https://SHOP.example"), status: 101},
		"allowed origin of capitals":   {header: from("https://large.example"), status: 101},
		"leading zeros":                {query: "?after=0000000000000000000", header: good, status: 101},
		"missing":                      {status: 401, reason: booking.ReasonTokenMissing},
		"bad header":                   {header: bearer("x.y.z"), status: 401, reason: booking.ReasonTokenInvalid},
		"expired header":               {header: bearer(expired(t)), status: 401, reason: booking.ReasonTokenExpired},
		"bad header beside good offer": {header: bearer("x"), protocols: []string{"bookings.v1", "bearer." + other}, status: 401, reason: booking.ReasonTokenInvalid},
		"no bearer among offers":       {protocols: []string{"bookings.v1"}, status: 401, reason: booking.ReasonTokenMissing},
		"internal token":               {header: http.Header{"X-Internal-Token": {"an internal token for tests, of some length"}}, status: 401, reason: booking.ReasonTokenMissing},
		"token in the URL":             {query: "?access_token=" + token(t), status: 401, reason: booking.ReasonTokenMissing},
		"foreign origin":               {header: from("https://evil.example"), status: 403, reason: booking.ReasonNotAllowed},
		"foreign origin of that host":  {header: from("https://shop.example.evil.example"), status: 403, reason: booking.ReasonNotAllowed},
		"origin null":                  {header: from("null"), status: 403, reason: booking.ReasonNotAllowed},
		"negative after":               {query: "?after=-1", header: good, status: 400, reason: booking.ReasonValidationFailed},
		"signed after":                 {query: "?after=%2B1", header: good, status: 400, reason: booking.ReasonValidationFailed},
		"letters":                      {query: "?after=x", header: good, status: 400, reason: booking.ReasonValidationFailed},
		"20 digits":                    {query: "?after=00000000000000000001", header: good, status: 400, reason: booking.ReasonValidationFailed},
		"beyond int64":                 {query: "?after=9223372036854775808", header: good, status: 400, reason: booking.ReasonValidationFailed},
		"empty after":                  {query: "?after=", header: good, status: 400, reason: booking.ReasonValidationFailed},
		"after twice":                  {query: "?after=1&after=1", header: good, status: 400, reason: booking.ReasonValidationFailed},
		"an id of another history":     {query: "?after=0&after_id=" + uuid.NewString(), header: good, status: 101},
		"an empty id":                  {query: "?after=0&after_id=", header: good, status: 101},
		"an id that is no UUID":        {query: "?after=0&after_id=x", header: good, status: 400, reason: booking.ReasonValidationFailed},
		"an id in braces":              {query: "?after=0&after_id={" + uuid.NewString() + "}", header: good, status: 400, reason: booking.ReasonValidationFailed},
		"an id twice":                  {query: "?after=0&after_id=&after_id=", header: good, status: 400, reason: booking.ReasonValidationFailed},
		"an id without its number":     {query: "?after_id=" + uuid.NewString(), header: good, status: 400, reason: booking.ReasonValidationFailed},
		"unknown parameter":            {query: "?afetr=1", header: good, status: 400, reason: booking.ReasonValidationFailed},
		"broken query":                 {query: "?after=%zz", header: good, status: 400, reason: booking.ReasonValidationFailed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			conn, response, err := d.try(test.query, &websocket.DialOptions{HTTPHeader: test.header, Subprotocols: test.protocols})
			if response == nil || response.StatusCode != test.status {
				t.Fatal(response, err)
			}
			if test.status != http.StatusSwitchingProtocols {
				wantsReason(t, response, test.reason)
				return
			}
			wantsProvidersFeed(t, conn, test.protocols != nil)
		})
	}
	if d.log.has(token(t)[:40]) {
		t.Error("a token was logged")
	}
}

func wantsProvidersFeed(t *testing.T, conn *websocket.Conn, offered bool) {
	t.Helper()
	if offered != (conn.Subprotocol() == "bookings.v1") {
		t.Errorf("the server chose %q", conn.Subprotocol())
	}
	if f := (&client{t: t, conn: conn}).wants("stream.ready"); f.Source != "/bookings/feeds/provider/pat" {
		t.Errorf("the feed is %s", f.Source)
	}
	_ = conn.CloseNow()
}

func wantsReason(t *testing.T, response *http.Response, reason booking.Reason) {
	t.Helper()
	body, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(body), string(reason)) || response.Header.Get("Content-Type") != "application/json" {
		t.Errorf("the body is %s, %v", body, err)
	}
}

// A browser cannot see a 401.
func TestABadTokenOfferedAsSubprotocolIsToldByACloseCode(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	for name, offered := range map[string]string{"bad": "bearer.x.y.z", "expired": "bearer." + expired(t), "empty": "bearer."} {
		conn, _, err := d.try("", &websocket.DialOptions{Subprotocols: []string{"bookings.v1", offered}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		(&client{t: t, conn: conn}).wantsClose(closeUnauthorized)
		if conn.Subprotocol() != "bookings.v1" {
			t.Errorf("%s: the server chose %q", name, conn.Subprotocol())
		}
	}
	pgtest.Eventually(t, "the refusal is logged", func() bool { return d.log.has(`"code":"4401"`) })
}

func TestWhatIsNoHandshakeIsRefusedInOurWords(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	handshake := map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	}
	for _, test := range []struct {
		name, without, value string
		status               int
	}{
		{"plain GET", "Connection", "", http.StatusUpgradeRequired},
		{"another protocol", "Upgrade", "h2c", http.StatusUpgradeRequired},
		{"an old version", "Sec-WebSocket-Version", "8", http.StatusBadRequest},
		{"no key", "Sec-WebSocket-Key", "", http.StatusBadRequest},
		{"a short key", "Sec-WebSocket-Key", "AAAA", http.StatusBadRequest},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.server.URL+"/ws", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header = bearer(token(t))
		for name, value := range handshake {
			request.Header.Set(name, value)
		}
		request.Header.Del(test.without)
		if test.value != "" {
			request.Header.Set(test.without, test.value)
		}
		response, err := d.server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != test.status {
			t.Errorf("%s: status %d", test.name, response.StatusCode)
		}
		wantsReason(t, response, booking.ReasonValidationFailed)
		_ = response.Body.Close()
	}
	// None of them took one of the user's places.
	for range feed.MaxReaders {
		d.live()
	}
}

func TestTheEleventhSocketOfAUserIsRefused(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	first := d.live()
	pat := func(role booking.Role) string { return sign(t, role, "pat", time.Now(), time.Hour) }
	for range feed.MaxReaders/2 - 1 {
		d.live()
	}
	for range feed.MaxReaders / 2 { // a user's places are those of both roles
		d.connect("", pat(booking.RoleCustomer)).wants("stream.ready")
	}
	if d.status(&websocket.DialOptions{HTTPHeader: bearer(pat(booking.RoleCustomer))}) != http.StatusTooManyRequests {
		t.Error("the other role has places of its own")
	}
	_, response, err := d.try("", &websocket.DialOptions{HTTPHeader: bearer(token(t))})
	if err == nil || response.StatusCode != http.StatusTooManyRequests || response.Header.Get("Retry-After") == "" {
		t.Fatalf("the eleventh got %v", response)
	}
	wantsReason(t, response, booking.ReasonRateLimited)
	// Another user has places of its own.
	d.connect("", sign(t, booking.RoleProvider, "another", time.Now(), time.Hour)).wants("stream.ready")
	_ = first.conn.Close(websocket.StatusNormalClosure, "")
	pgtest.Eventually(t, "the place is free", func() bool {
		conn, _, err := d.try("", &websocket.DialOptions{HTTPHeader: bearer(token(t))})
		return err == nil && conn != nil
	})
}

func TestOpeningASocketCountsAsARequest(t *testing.T) {
	t.Parallel()
	d := openDoor(t, func(h *Handler) { h.Gate.Limiter = ratelimit.New(2, time.Now) })
	d.live()
	d.live()
	_, response, err := d.try("", &websocket.DialOptions{HTTPHeader: bearer(token(t))})
	if err == nil || response.StatusCode != http.StatusTooManyRequests || response.Header.Get("RateLimit-Limit") != "2" {
		t.Errorf("the third got %v", response)
	}
}

// Else a socket would be where tokens are guessed, as often as frames may be sent.
func TestRefusedRenewalsCountAgainstTheAddress(t *testing.T) {
	t.Parallel()
	d := openDoor(t, func(h *Handler) { h.Gate.Limiter = ratelimit.New(3, time.Now) })
	c := d.live()
	chris := sign(t, booking.RoleProvider, "chris", time.Now(), time.Hour)
	for _, refused := range []struct {
		token  string
		reason booking.Reason
	}{
		{"x.y.z", booking.ReasonTokenInvalid},
		{expired(t), booking.ReasonTokenExpired},
		{chris, booking.ReasonNotAllowed},
		{"x.y.z", booking.ReasonRateLimited},
	} {
		c.send(websocket.MessageText, authenticate(refused.token))
		if f := c.wants("stream.error"); f.Data.Reason != refused.reason {
			t.Errorf("%s: %+v", refused.reason, f.Data)
		}
	}
	if status := d.status(&websocket.DialOptions{HTTPHeader: bearer("x.y.z")}); status != http.StatusTooManyRequests {
		t.Errorf("the address's next refusal: HTTP status %d", status)
	}
	c.send(websocket.MessageText, authenticate(token(t)))
	c.wants("stream.ready") // a good one is none of that
}

func TestTheLogLineOfASocketIsWrittenAtOnce(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.live()
	pgtest.Eventually(t, "the socket is logged", func() bool { return d.log.has(`"code":"101","user":"provider/pat"`) })
}
