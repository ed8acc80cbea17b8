package app

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
	"bookings/internal/ratelimit"
)

const limited = "RESOURCE_EXHAUSTED RATE_LIMITED"

// harmless is a call that passes the limit and is then refused, so that it
// needs nothing behind the doors.
func harmless(who http.Header) call {
	return call{method: "ListBookings", request: &bookingsv1.ListBookingsRequest{PageSize: -1}, header: who}
}

// clockwork is a clock that stands still until it is moved.
type clockwork struct {
	mu  sync.Mutex
	now time.Time
}

func newClockwork() *clockwork { return &clockwork{now: time.Now()} }

func (c *clockwork) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clockwork) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// limit limits a bare server to 60 a minute by its own clock.
func limit(clock *clockwork) func(*bareServer) {
	return func(b *bareServer) { b.doors.Gate.Limiter = ratelimit.New(60, clock.read) }
}

func TestSixtyCallsPassAndTheNextIsRefused(t *testing.T) {
	t.Parallel()
	clock := newClockwork()
	i := bare(t, limit(clock))
	for _, door := range doors {
		who := i.as(booking.RoleCustomer, door.name)
		for n := range 60 {
			got := door.call(i, harmless(who))
			checkVerdict(t, door.name, got, invalid+"page_size")
			checkLimit(t, door.name, got, 59-n)
		}
		refused := door.call(i, harmless(who))
		checkVerdict(t, door.name, refused, limited)
		checkLimit(t, door.name, refused, 0)
		checkRetry(t, door, refused)
		clock.move(time.Second)
		checkVerdict(t, door.name, door.call(i, harmless(who)), invalid+"page_size")
		checkVerdict(t, door.name, door.call(i, harmless(who)), limited)
	}
}

func checkLimit(t *testing.T, name string, a answer, remaining int) {
	t.Helper()
	want := [3]string{"60", strconv.Itoa(remaining), strconv.Itoa(60 - remaining)}
	got := [3]string{a.header.Get("RateLimit-Limit"), a.header.Get("RateLimit-Remaining"), a.header.Get("RateLimit-Reset")}
	if got != want {
		t.Errorf("%s: limit, remaining, reset are %q, want %q", name, got, want)
	}
}

func checkRetry(t *testing.T, door door, a answer) {
	t.Helper()
	if got := detail[*errdetails.RetryInfo](a).GetRetryDelay().AsDuration(); got != time.Second {
		t.Errorf("%s: RetryInfo says %v", door.name, got)
	}
	if got := a.header.Get("Retry-After"); got != "1" {
		t.Errorf("%s: Retry-After is %q", door.name, got)
	}
	if !door.grpc && a.http != http.StatusTooManyRequests {
		t.Errorf("%s: HTTP status %d", door.name, a.http)
	}
}

// A user has one limit, whatever the door and the role.
func TestAllDoorsDrawOnOneLimit(t *testing.T) {
	t.Parallel()
	i := bare(t, limit(newClockwork()))
	for n := range 60 {
		role := []booking.Role{booking.RoleCustomer, booking.RoleProvider}[n%2]
		if n%10 == 0 {
			response, _ := i.exchange(i.get("/ws?after=x", i.as(role, "cara")))
			checkLimit(t, "/ws", answer{header: response.Header}, 59-n)
			continue
		}
		got := doors[n%len(doors)].call(i, harmless(i.as(role, "cara")))
		checkLimit(t, doors[n%len(doors)].name, got, 59-n)
	}
	for _, door := range doors {
		checkVerdict(t, door.name, door.call(i, harmless(i.as(booking.RoleCustomer, "cara"))), limited)
		checkVerdict(t, door.name, door.call(i, harmless(i.as(booking.RoleCustomer, "eve"))), invalid+"page_size")
	}
	if response, body := i.exchange(i.get("/ws", i.as(booking.RoleProvider, "cara"))); response.StatusCode != http.StatusTooManyRequests {
		t.Errorf("/ws: %s %s", response.Status, body)
	}
}

// Refused credentials count against the address, never against a user.
func TestRefusedCredentialsCountAgainstTheAddress(t *testing.T) {
	t.Parallel()
	i := bare(t, limit(newClockwork()))
	badly := []http.Header{
		{}, {"Authorization": {"Bearer " + forged(i.token(booking.RoleCustomer, "cara"))}}, {"Authorization": {"Basic a"}},
	}
	for n := range 60 {
		got := doors[n%len(doors)].call(i, harmless(badly[n%len(badly)]))
		checkVerdict(t, doors[n%len(doors)].name, got, "UNAUTHENTICATED *")
		checkLimit(t, doors[n%len(doors)].name, got, 59-n)
	}
	for _, door := range doors {
		checkVerdict(t, door.name, door.call(i, harmless(badly[1])), limited)
		checkVerdict(t, door.name, door.call(i, harmless(i.as(booking.RoleCustomer, "cara"))), invalid+"page_size")
	}
	if response, body := i.exchange(i.get("/ws", http.Header{})); response.StatusCode != http.StatusTooManyRequests {
		t.Errorf("/ws: %s %s", response.Status, body)
	}
}

func TestInternalCallersAndProbesAreNotLimited(t *testing.T) {
	t.Parallel()
	i := bare(t, limit(newClockwork()))
	for n := range 100 {
		got := overGRPC(i, harmless(asInternal()))
		checkVerdict(t, "internal", got, invalid+"page_size")
		if got.header.Get("RateLimit-Limit") != "" {
			t.Fatalf("call %d of an internal service is counted: %v", n, got.header)
		}
		response, _ := i.exchange(i.get("/health", http.Header{}))
		if response.StatusCode != http.StatusOK || response.Header.Get("RateLimit-Limit") != "" {
			t.Fatalf("/health: %s %v", response.Status, response.Header)
		}
	}
	// A wrong internal token is a refused credential like any other.
	wrong := http.Header{"X-Internal-Token": {"wrong"}}
	for range 60 {
		checkVerdict(t, "wrong", overGRPC(i, harmless(wrong)), tokenInvalid)
	}
	checkVerdict(t, "wrong", overGRPC(i, harmless(wrong)), limited)
	checkVerdict(t, "right", overGRPC(i, harmless(asInternal())), invalid+"page_size")
}

func TestALimitOfZeroIsNone(t *testing.T) {
	t.Parallel()
	i := bare(t)
	for n := range 130 {
		door := doors[n%len(doors)]
		got := door.call(i, harmless(i.as(booking.RoleCustomer, "cara")))
		checkVerdict(t, door.name, got, invalid+"page_size")
		if got.header.Get("RateLimit-Limit") != "" {
			t.Fatalf("%s: %v", door.name, got.header)
		}
	}
}

func TestForwardedAddressesCountFromTrustedProxiesAlone(t *testing.T) {
	t.Parallel()
	for _, proxies := range []struct {
		trusted string
		// second is the verdict for a second address, after the first used up
		// its limit.
		second string
	}{
		{"127.0.0.0/8", tokenMissing},
		{"10.0.0.0/8", limited},
	} {
		i := bare(t, limit(newClockwork()), func(b *bareServer) {
			b.settings.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(proxies.trusted)}
		})
		from := func(address string) call { return harmless(http.Header{"X-Forwarded-For": {address}}) }
		for range 60 {
			checkVerdict(t, proxies.trusted, rest(i, from("192.0.2.1")), tokenMissing)
		}
		for _, door := range doors {
			checkVerdict(t, door.name, door.call(i, from("192.0.2.1")), limited)
		}
		checkVerdict(t, proxies.trusted, curl(i, from("192.0.2.2")), proxies.second)
		// What a client wrote itself stands before what the proxy has seen.
		checkVerdict(t, proxies.trusted, curl(i, from("192.0.2.3, 192.0.2.1")), limited)
		if proxies.second == tokenMissing && !strings.Contains(i.log.String(), `"peer":"192.0.2.2"`) {
			t.Error("the log does not name the peer")
		}
	}
}
